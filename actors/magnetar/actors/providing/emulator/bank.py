"""The books and their log as one, for many threads: an entry is durable before it counts."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from magnetar.actors.providing.emulator.book import Book

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from magnetar.actors.providing.emulator.book import Asked, Entry


class InHand(Exception):
    """Another question with this key is being answered."""


class Keeping(Protocol):
    """Where entries are kept: a `Log`, or a list in a test."""

    def append(self, entry: Entry, /) -> None:
        """Keep it, durably."""
        ...


class Bank:
    """What the provider has done, from any thread. Questions wait for each other while an entry is written."""

    def __init__(self, log: Keeping, entries: Sequence[Entry] = ()) -> None:
        """`entries`: those that the log holds already."""
        self._log, self._book = log, Book.of(entries)
        self._lock, self._in_hand = threading.Lock(), set[str]()

    @contextmanager
    def taking(self, key: str) -> Generator[None]:
        """The key is in hand meanwhile. Raises `InHand`."""
        with self._lock:
            if key in self._in_hand:
                raise InHand
            self._in_hand.add(key)
        try:
            yield
        finally:
            with self._lock:
                self._in_hand.remove(key)

    def perform(self, key: str, asked: Asked, declined: str = "") -> Entry:
        """The entry of the question, which is durable. Raises `KeyReused`, or `OSError` and nothing was done."""
        return self._entered(lambda: self._book.decide(key, asked, _now(), declined))

    def cancel(self, key: str) -> Entry:
        """The same for a cancellation."""
        return self._entered(lambda: self._book.cancel(key, _now()))

    def known(self, key: str) -> Entry | None:
        """What the books say of a key."""
        with self._lock:
            return self._book.entries.get(key)

    def counts(self) -> dict[str, int]:
        """How many entries there are of each kind."""
        with self._lock:
            return dict(Counter(entry.what for entry in self._book.entries.values()))

    def _entered(self, decide: Callable[[], Entry]) -> Entry:
        with self._lock:
            entry = decide()
            if entry.key not in self._book.entries:
                self._log.append(entry)
                self._book.add(entry)
            return entry


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
