"""Queues as a source of the stream: Pub/Sub, Kafka, and the objects that notifications name."""
