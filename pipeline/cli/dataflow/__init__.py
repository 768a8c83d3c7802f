"""The commands as Dataflow Flex Templates: their metadata, and what a template starts."""
