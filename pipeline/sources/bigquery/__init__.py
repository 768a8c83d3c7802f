"""BigQuery as a source: tables, views and queries, read as Arrow streams."""
