"""The page's own script, in pieces that page.py puts together."""
