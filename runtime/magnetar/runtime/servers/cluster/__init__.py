"""A real Pulsar cluster as local processes: ZooKeeper, three bookies, two brokers, each started again when it ends.

`ClusterServer` is for programs and tests; `magnetar up --cluster` keeps one between commands.
"""

from magnetar.runtime.servers.cluster.plan import ClusterPlan
from magnetar.runtime.servers.cluster.server import ClusterServer

__all__ = ["ClusterPlan", "ClusterServer"]
