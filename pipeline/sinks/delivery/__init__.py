"""Alerts to the systems where people work: HTTP servers and topics of Kafka.

At least once: an alert is taken by the other side, or it lies in the spool with the reason. Which alert it is says its
`alert_id`, the same each time. Nothing here knows of a pipeline but `deliver_alerts`: the steps of a stream use it, and
what sends a finished run.
"""
