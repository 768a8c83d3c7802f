"""The Beam steps of the backfill, in the order of the flow.

`scan_events` -> `add_up`, `warn_of_thin_days` -> `measure_prevalence` -> `judge_activities` -> `limit_floods`;
`pack_history` prepares a snapshot, and `block_files` is how large steps hand on blocks.
"""
