"""What a scenario that was played leaves behind in its folder: who reads it needs nothing else.

`shape` has the types, `keeping` writes and reads them:

    record.json     the `Record`: what was played, what was measured, what is made of it; written last
    points.jsonl    a `Point` for each operation of the load
    samples.jsonl   a `Sample` for each number that was looked at, about each second
    owners.jsonl    a `Tenure` for each owner of a shard or a topic, and for who led ZooKeeper
    history.jsonl   the events, as every kind of run has them (`magnetar.chaos.history`)
"""
