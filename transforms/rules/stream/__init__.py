"""The decisions of the stream: one class per stateful step, free of Beam, so that they can be driven by anything.

The modules are the stateful counterparts of `baseline` and `verdicts`, and decide by the same formulas.
"""
