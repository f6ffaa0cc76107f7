"""The REST API, loaded when it is first asked.

Its HTTP client takes 0.14 s to import, of the 1.7 s in which a worker starts, and most workers never ask: what a
consumer delivers first, or the last message that there is, tells nearly always (R11).
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.runtime.bus.pulsar.client import Subscriptions
    from magnetar.runtime.bus.pulsar.marks import Mark


class Loading:
    """See `Subscriptions`."""

    def __init__(self, load: Callable[[], Subscriptions]) -> None:
        """`load` is called once, by whoever asks first, in his thread."""
        self._load = load
        self._lock = Lock()
        self._loaded: Subscriptions | None = None

    def has_subscription(self, partition_topic: str, subscription: str) -> bool:
        """As it is said there."""
        return self._own().has_subscription(partition_topic, subscription)

    def mark(self, partition_topic: str, subscription: str) -> Mark:
        """As it is said there."""
        return self._own().mark(partition_topic, subscription)

    def partitions(self, topic: str) -> int | None:
        """As it is said there."""
        return self._own().partitions(topic)

    def close(self) -> None:
        """Close the connections, if there are any."""
        if self._loaded is not None:
            self._loaded.close()

    def _own(self) -> Subscriptions:
        with self._lock:
            if self._loaded is None:
                self._loaded = self._load()
            return self._loaded
