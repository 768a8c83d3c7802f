"""Results in BigQuery: rows of a backfill are merged, rows of a stream are inserted."""
