"""What runs: the command line and the graphs, with their sources and sinks."""
