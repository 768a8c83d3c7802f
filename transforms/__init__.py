"""What happens to data: Beam steps in `batch/` and `stream/`, one a file; the decisions, free of Beam, in `rules/`."""
