"""What an alert says, in which format, and what of it is masked (specification, section 8)."""
