"""What a run computes: the options that decide it, and the `Configuration` that they give.

`options` is needed for `--help` and imports no Beam; so this package imports none of its modules.
"""
