"""Plain records, many at a time: JSON lines to columns, without an object a record."""
