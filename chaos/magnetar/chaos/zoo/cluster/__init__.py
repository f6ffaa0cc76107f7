"""The zoo's second house: bugs that need a real cluster, each played there with workers that have it.

A bug is named changes of the product, as next door (`zoo.bug`), a scenario of `plays`, and who must complain of it: a
checker of the record, or a bound. In the order of a run: `hunting` looks whether what is to be broken is there, and has
each bug played on a cluster of its own (`inside`) whose workers are started as `broken`; `judging` says whether the
right one complained, `telling` is bug by catcher, `playing` is several in a row. With the product as it is every
scenario of `plays` is valid.

Only the crew of a chaos cluster runs `broken`, by name and by a command line of its own: the product has no switch, no
setting and no import that leads here, and `broken` refuses to run outside an enclosure.
"""
