"""Measurements: one set of files, two ways to the same alerts."""
