"""The job that keeps the journal from growing for ever: workers drop what is too old to be delivered again (R4)."""

from __future__ import annotations

import logging
import random
import threading
from typing import TYPE_CHECKING, Protocol

from magnetar.runtime.instant import SECOND
from magnetar.runtime.store.port import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from magnetar.runtime.instant import Instant

_log = logging.getLogger("magnetar.journal")

LEAST_DAYS, MOST_DAYS = 7, 36_500
EVERY = 6 * 3600.0
"""Seconds between two looks of a worker."""
_DAY = 86_400 * SECOND


class Gone(Protocol):
    """What became of one table."""

    @property
    def table(self) -> str:
        """Its name."""
        ...

    @property
    def gone(self) -> int:
        """How many rows are gone."""
        ...

    @property
    def kept(self) -> int:
        """How many were kept, in the last partition."""
        ...


class Upkeep(Protocol):
    """A connection to the store, for this only."""

    def trim_alone(self, age: Instant) -> Sequence[Gone] | None:
        """Drop what is older than `age`, in microseconds; None while another process does so. Raises `StoreError`."""
        ...


class Trimming:
    """A daemon thread that trims now and then; nothing waits for it, and it may end at any point.

    Every worker has one. They begin at different moments, and where two meet one goes away: the store says which.
    What fails is told, and tried again: nobody's work depends on it. A process that dies leaves a partition whole.
    """

    def __init__(
        self, connect: Callable[[], AbstractContextManager[Upkeep]], days: float, every: float = EVERY
    ) -> None:
        """Start it: it looks within a tenth of `every` (seconds), then each `every`. `days`: what is older goes."""
        self._connect = connect
        self._age: Instant = round(days * _DAY)
        self._every = every
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="magnetar-trimming", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """No further look. One that is under way goes on until the process ends, which takes it back."""
        self._closed.set()

    def _run(self) -> None:
        pause = self._every * random.uniform(0.0, 0.1)  # noqa: S311 - so that workers do not begin together
        while not self._closed.wait(pause):
            self._look()
            pause = self._every

    def _look(self) -> None:
        try:
            with self._connect() as upkeep:
                trimmed = upkeep.trim_alone(self._age)
        except StoreError as error:
            _log.warning("the journal was not trimmed: %s; trying again in %.0f s", error, self._every)
            return
        for each in trimmed or ():
            _log.info("%s is too old: %d rows are gone, %d kept", each.table, each.gone, each.kept)
