"""One run's folder: what a run writes there, how it is cleared, and what later commands read of it."""
