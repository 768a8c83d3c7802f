"""Files as a source: which ones, and how Parquet and lines are read piece by piece."""
