"""Whose process is it? Instances of processes, and what their starts say of them (specification, section 2a)."""
