"""Files wherever they are: listed, opened, written whole or not at all, folders of tables, and unreadable files."""
