"""Alerts as messages of a queue."""
