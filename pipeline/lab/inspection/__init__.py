"""What files are, before anything is run over them: their kind, their formats, what their events cannot tell."""
