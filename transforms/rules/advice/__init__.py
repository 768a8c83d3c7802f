"""Around the detector: other limits, exceptions that would help or do nothing, programs to review."""
