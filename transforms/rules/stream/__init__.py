"""The decisions of the stream: one class a stateful step, free of Beam, so that they can be driven by anything."""
