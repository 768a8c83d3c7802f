"""BigQuery: how it is reached, the tables that runs write to, and what of a run is merged into them."""
