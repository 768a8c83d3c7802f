"""Does a detector find what it should? Its alerts, held against what was planted in simulated telemetry.

`scoring` counts for one organisation, `report` adds organisations up, `intervals` says how sure that is: none of them
opens a file. `folder` reads what they need.
"""
