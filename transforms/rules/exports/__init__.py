"""What of a store the detector reads, and the queries that export just that."""
