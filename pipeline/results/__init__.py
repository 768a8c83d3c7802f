"""Folders of results: one run at a time writes there, and replaces what an earlier one left as a whole."""
