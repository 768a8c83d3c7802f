"""The page about a run: reading its folder, counting, charts, HTML."""
