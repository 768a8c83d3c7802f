"""The steps of the stream, one per file, in the order of the flow; their decisions are in `transforms.rules.stream`."""
