"""Machines, people, software, and when they are there."""
