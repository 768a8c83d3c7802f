"""The folder of one run: what earlier runs wrote, read again."""
