"""Scanning with the cores of one machine, and garbage collection in its processes."""
