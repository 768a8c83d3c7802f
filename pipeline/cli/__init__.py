"""The command line: its options, its commands, what a terminal shows."""
