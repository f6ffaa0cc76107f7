"""The in-process bus, plugged into the contract suite."""

from __future__ import annotations

import time
from itertools import count
from typing import TYPE_CHECKING

import pytest

from magnetar.runtime.bus.memory import Broker, Faults, MemoryBus
from tests.contract.bus.harness import SUBSCRIPTION

if TYPE_CHECKING:
    from collections.abc import Iterable

    from magnetar.runtime.bus.port import Delivery
    from tests.contract.bus.harness import BusHarness


def system_clock() -> int:
    """Microseconds since the epoch."""
    return time.time_ns() // 1000


class MemoryHarness:
    """A broker of its own for each test."""

    deadline = 5.0
    quiet = 0.0

    def __init__(self) -> None:
        self.broker = Broker(system_clock)
        self.bus = MemoryBus(self.broker, "tested")
        self._numbers = count(1)

    def topic(
        self, partitions: int = 1, subscriptions: Iterable[str] = (SUBSCRIPTION,), schema: str | None = None
    ) -> str:
        """As the harness says."""
        name = f"topic-{next(self._numbers)}"
        self.broker.provision(name, partitions, subscriptions, open_to_new_schemas=False)
        if schema is not None:
            self.broker.register_schema(name, schema)
        return name

    def register(self, topic: str, schema: str) -> int:
        """As the harness says."""
        return self.broker.register_schema(topic, schema)

    def other(self) -> MemoryBus:
        """As the harness says; nothing to close, for nothing outlives the broker."""
        return MemoryBus(self.broker, f"other-{next(self._numbers)}")

    def log(self, topic: str, partition: int) -> list[Delivery]:
        """As the harness says."""
        return self.broker.log(topic, partition)

    def unload(self, topic: str, partition: int) -> None:
        """As the harness says."""
        Faults(self.broker).unload(topic, partition)

    def rewind(self, topic: str, partition: int, subscription: str) -> None:
        """As the harness says."""
        Faults(self.broker).rewind(topic, partition, subscription)


@pytest.fixture
def memory_harness() -> BusHarness:
    """The in-process bus."""
    return MemoryHarness()
