"""What is an event, what is a dead letter, and how both are counted (specification, section 2)."""
