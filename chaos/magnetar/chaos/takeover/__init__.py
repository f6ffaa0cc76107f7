"""What happens when workers die, freeze, are cut off, come and go: measured on real servers, one row an event.

ZooKeeper, three bookies, two brokers, PostgreSQL and the workers are processes of this machine, each worker in a
network of its own. A load that never waits runs beside; events are done to it, one after the other; in the end topics
and store are read and say how long each shard stood still, and whether anything was lost, reordered, applied twice or
forked.

In the order of a run: `magnetar.chaos.cluster.enclosure` and `netting` make a place that leaves nothing behind,
`ground` the servers in it, `magnetar.chaos.cluster.crew` the workers, `plan` and `load` the orders, `starving` watches
the machine, `events` are the rows, `reading` and `gaps` and `moves` measure, `rows` judge, `table` and `page` tell.
"""
