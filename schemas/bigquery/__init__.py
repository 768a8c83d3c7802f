"""What a run leaves in BigQuery: `fields.py` is the one definition of its records, of the DDL and of the JSON here."""
