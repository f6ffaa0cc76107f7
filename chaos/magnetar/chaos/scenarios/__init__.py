"""What is to be played, as data: a YAML file for each scenario, in `suite`, and whoever else's.

`spec` says what a scenario is, `reading` reads one and says what is wrong with it, `making` turns what it does into
faults. `docs/operations/chaos.md` describes the format.
"""
