"""Results of a stream as files."""
