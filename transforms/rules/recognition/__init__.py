"""What an event is about: destination, program, script, suspicion, exceptions (specification, sections 3 and 4)."""
