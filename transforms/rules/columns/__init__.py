"""Values and columns: Arrow columns as codes, texts, hashes, days and hours, JSON lines. Knows nothing of events."""
