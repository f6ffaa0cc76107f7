"""Plays scenarios on a real cluster, one after the other, and leaves a record of each.

In the order of a run: `leading` stays outside and `inside` goes to where no harm can be done to the machine; `session`
is several scenarios on one cluster, `stage` is that cluster and who works on it. Of one scenario, `run` has the phases,
`watching` looks all the time, `agenda` is when what is struck and healed, `budget` what the cluster is made to bear,
`striking` does the faults, `recovering` sees that all goes as before, `resting` proves that all has come to rest,
`recording` makes the record. `telling` is for whoever waits, and `showing` for whoever reads.
"""
