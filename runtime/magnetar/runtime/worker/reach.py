"""How long the broker has been silent, by this worker's own questions (R13, R14, R32)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.runtime.bus.port import BusError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from magnetar.runtime.bus.port import Bus, Opening
    from magnetar.runtime.instant import Instant


class Reach:
    """One question at a time, about one topic after another. One thread; never blocks."""

    def __init__(self, bus: Bus, topics: Sequence[str]) -> None:
        """`topics`: those that may be asked about; one at least."""
        self._bus = bus
        self._topics = topics
        self._asked = 0
        self._question: Opening[float] | None = None
        self._heard: Instant | None = None
        self._failing: Instant | None = None
        self._why = ""

    def ask(self, now: Instant) -> bool:
        """Look for the answer to the last question, and ask again if none is open; whether one was answered."""
        if self._heard is None:
            self._heard = now  # it answered when this worker was made
        heard = self._heard
        self._look(now)
        if self._question is None:
            self._question = self._bus.ping(self._topics[self._asked % len(self._topics)])
            self._asked += 1
            self._look(now)
        return self._heard != heard

    def _look(self, now: Instant) -> None:
        if self._question is None:
            return
        try:
            took = self._question.poll()
        except BusError as error:
            self._question = None
            self._why = str(error)
            self._failing = self._failing if self._failing is not None else now
            return
        if took is not None:
            self._question = None
            self._heard = now - round(took * 1_000_000)
            self._failing = None

    def silence(self, now: Instant) -> Instant:
        """Microseconds since the broker was there for certain."""
        return 0 if self._heard is None else now - self._heard

    def failing(self, now: Instant) -> tuple[Instant, str]:
        """For how long every question has failed, and why the last one did; 0 after one that was answered.

        Unlike `silence` this does not grow while the process is frozen, or stands still for another reason (R32).
        """
        return (0, "") if self._failing is None else (now - self._failing, self._why)

    def renewed(self) -> None:
        """The connections are new: what was asked through the old ones counts no more."""
        if self._question is not None:
            self._question.abandon()
        self._question = self._failing = None
