"""What an option is: declared as a field of a dataclass, parsed once, the same for help, templates and documentation.

Whoever needs options owns a dataclass of them: each source and each sink has an `options.py`, and those that decide
what a run computes are in `pipeline/configuration/options.py`. A command only names the groups that it takes.
"""
