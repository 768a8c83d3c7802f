"""Random organisations against the oracle for as long as one wants: `make soak HOURS=2`."""
