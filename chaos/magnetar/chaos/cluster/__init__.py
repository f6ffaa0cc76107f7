"""A real cluster for chaos: every process in a network namespace of its own, behind a switch, on one machine.

In the order of a run: `profile` says who is there, `enclosure` and `janitor` make a place that leaves nothing behind,
`switch` lays out its network and cuts it, `estate` records what is ours and refuses all else, `ground` starts the
servers in it, `shop` is what runs on them, `crowd` the workers and the provider, `stations` are all of these as faults
see them, `parts` asks who plays which part at this moment.
"""
