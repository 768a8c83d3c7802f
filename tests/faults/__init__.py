"""Faults on purpose: `make test-faults` kills every command that writes at each of its steps, and fails its calls.

Commands run in children that are forked from a process which has imported them already, so that one takes a second. A
child counts the changes that it is about to make to files, and at the n-th of them it dies, or the call fails
(`injection`). What is left is looked at from outside (`looking`): no foreign file is touched, the earlier result is
whole or the new one is, and the next command of the user gives what a run that nothing disturbed gives.

`FAULTS=short` takes a few steps of each kind, evenly spread; without it every step is taken.
"""
