"""The REST API is loaded when it is first asked, and once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING

from magnetar.runtime.bus.pulsar.loading import Loading
from magnetar.runtime.bus.pulsar.marks import Mark

if TYPE_CHECKING:
    from magnetar.runtime.bus.pulsar.client import Subscriptions

THREADS = 4
MARK = Mark(None, frozenset())


class Api:
    """Answers, and remembers that it was closed."""

    closed = False

    def has_subscription(self, partition_topic: str, subscription: str) -> bool:
        """Of one only."""
        return (partition_topic, subscription) == ("t-partition-0", "s")

    def mark(self, partition_topic: str, subscription: str) -> Mark:
        """Nothing is acknowledged."""
        assert self.has_subscription(partition_topic, subscription)
        return MARK

    def partitions(self, topic: str) -> int:
        """As many as its name has letters."""
        return len(topic)

    def close(self) -> None:
        """Once."""
        assert not self.closed
        self.closed = True


def test_it_is_loaded_once_whoever_asks() -> None:
    """Also by several at the same time; and closed with who loads it."""
    made: list[Api] = []
    together = Barrier(THREADS)

    def load() -> Subscriptions:
        made.append(Api())
        return made[-1]

    loading = Loading(load)

    def ask() -> int | None:
        together.wait(10)
        return loading.partitions("four")

    assert made == []
    with ThreadPoolExecutor(THREADS) as pool:
        answers = [each.result() for each in [pool.submit(ask) for _ in range(THREADS)]]
    assert answers == [4] * THREADS
    assert loading.has_subscription("t-partition-0", "s")
    assert loading.mark("t-partition-0", "s") is MARK
    loading.close()
    assert [each.closed for each in made] == [True]


def test_what_was_never_asked_is_not_loaded_to_be_closed() -> None:
    """A worker that leaves loads nothing."""

    def load() -> Subscriptions:
        raise AssertionError

    Loading(load).close()
