"""Real servers as local processes: no Docker, no installed Java, no root.

`running_pulsar` and `running_postgres` give tests and programs a ready server for a block; `magnetar up` keeps one
between commands.
"""

from magnetar.runtime.servers.errors import ServerError
from magnetar.runtime.servers.places import Places
from magnetar.runtime.servers.postgres import PostgresPlan, PostgresServer, running_postgres
from magnetar.runtime.servers.pulsar import PulsarPlan, PulsarServer, running_pulsar

__all__ = [
    "Places",
    "PostgresPlan",
    "PostgresServer",
    "PulsarPlan",
    "PulsarServer",
    "ServerError",
    "running_postgres",
    "running_pulsar",
]
