"""The condition of an export in the query languages of stores."""
