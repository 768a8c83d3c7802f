"""The queries beside an alert: what they ask about, and how BigQuery and Cortex XDR are asked it."""
