"""One Beam step a file, in the order of the flow."""
