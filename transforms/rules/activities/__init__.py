"""Communications of one hour as one activity, and the scan that finds them (specification, section 1)."""
