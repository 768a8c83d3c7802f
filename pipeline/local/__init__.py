"""Scanning with the cores of one machine, and memory of its processes."""
