"""Files wherever they are: opened, listed, written whole or not at all, and what to do about bad ones."""
