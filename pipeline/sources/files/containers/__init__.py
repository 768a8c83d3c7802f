"""Containers of records, each read as lines of JSON, so that all that follows knows lines only."""
