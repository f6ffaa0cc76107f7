"""What is to be played, as data: a YAML file for each scenario, in `suite`, and whoever else's.

`spec` says what a scenario is, `reading` reads one and says what is wrong with it, `writing` writes one down, `making`
turns what it does into faults. `docs/operations/chaos.md` describes the format.

Others are drawn: `harms` are the kinds of harm that can be, `bearing` says which can be proven beside which, `storm`
and `pairs` draw scenarios from a seed.
"""
