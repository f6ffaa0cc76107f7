"""Whether a worker lives, and whether it is ready; each *no* with its reasons.

They are different questions. *Alive* is about the loop alone: who fails it is started anew. *Ready* is about what the
worker needs: it reaches broker and store, and the assignment knows it. A worker that lags, or owns nothing, is ready:
to take it away would make both worse.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from magnetar.runtime.worker.observer import Loss, Observer, Wait

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence

    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.port import ShardChanges, ShardName


class Beat(Protocol):
    """What the loop lets others know of its life: since when (monotonic seconds) it is in a step, and its end."""

    stepping_since: float | None
    failure: BaseException | None
    ended: threading.Event


def ailments(beat: Beat, deadline: float, now: float) -> list[str]:
    """Why this loop does not live; none when it does. `deadline`: seconds that a step may take (R28)."""
    if beat.failure is not None:
        return [f"the loop has stopped: {type(beat.failure).__name__}"]  # its text may hold anything: it is in the log
    if beat.ended.is_set():
        return ["the loop has ended"]
    since = beat.stepping_since
    if since is not None and now - since > deadline:
        return [f"the loop has been in one step for {now - since:.1f} s"]
    return []


@dataclass(slots=True)
class _Contact:
    """When something answered last, and since when it has not, since it was asked."""

    name: str
    heard: float | None = None
    failing: float | None = None

    def answered(self, now: float) -> None:
        self.heard, self.failing = now, None

    def failed(self, now: float) -> None:
        if self.failing is None:
            self.failing = now


class Readiness(Observer):
    """Hears whether broker and store answer. Hooks run in the loop's thread, `reasons` in any."""

    def __init__(
        self, *, patience: float = 2.0, silence: float = 15.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Seconds: `patience` of failing, or `silence`, which is longer than a handler may take, make it unready."""
        self._clock = clock
        self._patience = patience
        self._silence = silence
        self._store = _Contact("store")
        self._broker = _Contact("broker")
        self._excluded: str | None = "the assignment has not named this worker yet"

    def reasons(self) -> list[str]:
        """Why the worker is not ready; none when it is."""
        now = self._clock()
        found = [told for contact in (self._store, self._broker) if (told := self._told(contact, now))]
        return [*found, self._excluded] if self._excluded is not None else found

    def _told(self, contact: _Contact, now: float) -> str | None:
        heard, failing = contact.heard, contact.failing
        if heard is None:
            return f"the {contact.name} has not been reached yet"
        if failing is not None and now - failing >= self._patience:
            return f"the {contact.name} has not answered for {now - failing:.1f} s"
        if now - heard >= self._silence:
            return f"nothing has been heard of the {contact.name} for {now - heard:.1f} s"
        return None

    def assigned(self, shards: Sequence[ShardName]) -> None:  # noqa: ARG002 - none is fine
        """See `Observer`."""
        self._excluded = None

    def excluded(self, why: str) -> None:
        """See `Observer`."""
        self._excluded = f"the assignment passes this worker over: {why}"

    def reached(self, dependency: Wait) -> None:
        """See `Observer`."""
        if dependency is Wait.STORE:
            self._store.answered(self._clock())
        elif dependency is Wait.BROKER:
            self._broker.answered(self._clock())

    def owned(self, shard: ShardName, epoch: int) -> None:  # noqa: ARG002
        """See `Observer`: it takes both to win a shard."""
        self.reached(Wait.STORE)
        self.reached(Wait.BROKER)

    def committed(self, group: Sequence[ShardChanges], at: Instant) -> None:  # noqa: ARG002
        """See `Observer`."""
        self.reached(Wait.STORE)

    def relayed(self, shard: ShardName, count: int, duplicates: int) -> None:  # noqa: ARG002
        """See `Observer`."""
        self.reached(Wait.BROKER)

    def lost(self, shard: ShardName, why: str, loss: Loss) -> None:  # noqa: ARG002
        """See `Observer`: a shard that was given up for want of one of them."""
        if loss is Loss.STORE:
            self._store.failed(self._clock())
        elif loss is Loss.BROKER:
            self._broker.failed(self._clock())

    def waiting(self, shard: ShardName, why: str, on: Wait) -> None:  # noqa: ARG002
        """See `Observer`: another holder, and a refusal, are answers."""
        if on is Wait.STORE:
            self._store.failed(self._clock())
        elif on is Wait.BROKER:
            self._broker.failed(self._clock())
        elif on is Wait.REFUSAL:
            self.reached(Wait.STORE)
        elif on is Wait.HOLDER:
            self.reached(Wait.STORE)  # its epoch was read before the partition was asked for (R12)
            self.reached(Wait.BROKER)
