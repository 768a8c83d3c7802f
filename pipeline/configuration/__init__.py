"""What a run computes: the options that decide it, and the `Configuration` that they give.

`--help` needs `options` and must not wait for Beam, so nothing is imported here.
"""
