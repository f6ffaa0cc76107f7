"""Apache Pulsar: the bus of production. Only this package imports the client (ADR 0002)."""

from magnetar.runtime.bus.pulsar.access import Access
from magnetar.runtime.bus.pulsar.client import PulsarBus
from magnetar.runtime.bus.pulsar.settings import PulsarSettings

__all__ = ["Access", "PulsarBus", "PulsarSettings"]
