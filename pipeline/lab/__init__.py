"""The laboratory: organisations that are simulated, and detectors that are scored on them."""
