"""Real servers as local processes: no Docker, no installed Java, no root.

`pulsar.running_pulsar` and `postgres.running_postgres` give tests and programs a ready server for a block;
`magnetar up` keeps one between commands.
"""
