"""Results as files: JSON lines of a backfill, files of a stream."""
