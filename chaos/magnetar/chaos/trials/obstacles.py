"""What stands in an engine's way: a trap at its fault points, and a gate between it and the broker."""

from __future__ import annotations

from collections import Counter
from itertools import takewhile
from typing import TYPE_CHECKING

from magnetar.chaos.trials.trouble import HAPPENED
from magnetar.runtime.store.port import CommitUnknown
from magnetar.runtime.worker.intake import Inline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from magnetar.chaos.trials.trouble import Trouble
    from magnetar.runtime.bus.port import Consumer, Delivery, Position

    Copy = tuple[str, int, Position]


class Crash(BaseException):
    """The worker's process is gone. Nothing in it may catch this."""


class Trap:
    """Waits at fault points: the engine's `Points`. `reached` counts how often the engine was at each."""

    def __init__(self, troubles: Iterable[Trouble], tell: Callable[[str], None]) -> None:
        self.reached: Counter[str] = Counter()
        self._set = {(each.point, each.number): each for each in troubles if each.point}
        self._tell = tell

    def reach(self, point: str) -> None:
        """Raises `Crash`, or `CommitUnknown` in the place of the store."""
        self.reached[point] += 1
        trouble = self._set.pop((point, self.reached[point]), None)
        if trouble is None:
            return
        if trouble.kind == "crash":
            self._tell(f"the worker crashes at {point} (time {trouble.number} that it is there) and starts again")
            raise Crash
        outcome = "has happened" if point == HAPPENED else "has not happened"
        self._tell(f"the answer to a commit is lost, which {outcome}")
        raise CommitUnknown("committing: the answer was lost")

    def calm(self) -> None:
        """Wait no more."""
        self._set.clear()


def _named(delivery: Delivery) -> str:
    kind = delivery.properties.get("type", "a message").rpartition(".")[2]
    return f"{kind} for {delivery.key!r}, from {delivery.topic}"


class Gate:
    """Between broker and worker: some deliveries are held back, and with each all that is behind it.

    `handed` counts the messages that came to the gate, each once however often it is delivered.
    """

    def __init__(self, troubles: Iterable[Trouble], tell: Callable[[str, object], None]) -> None:
        self.handed = 0
        self._slow = {each.number: each.steps for each in troubles if each.kind == "slow"}
        self._seen: set[Copy] = set()
        self._held: dict[Copy, tuple[int, str]] = {}
        self._step = 0
        self._tell = tell

    def sourced(self, consumer: Consumer) -> Inline:
        """A source behind this gate, of an open consumer."""
        return _Gated(consumer, self)

    def passes(self, delivery: Delivery) -> bool:
        """Whether it may go through now."""
        copy = (delivery.topic, delivery.partition, delivery.position)
        if copy not in self._seen:
            self._seen.add(copy)
            self.handed += 1
            if self.handed in self._slow:
                self._held[copy] = (self._step + 1 + self._slow[self.handed], _named(delivery))
                self._tell(f"the broker does not hand on {_named(delivery)}", copy)
        return copy not in self._held

    def shut(self, topic: str, partition: int) -> bool:
        """Whether something of this partition is held back."""
        return any(copy[:2] == (topic, partition) for copy in self._held)

    def open(self, step: int) -> bool:
        """The story has come to this step: let go what was held until then; whether there was something."""
        self._step = step
        ready = [copy for copy, (until, _) in self._held.items() if until <= step]
        for copy in ready:
            _, named = self._held.pop(copy)
            self._tell(f"only now the broker hands on {named}", copy)
        return bool(ready)

    def calm(self) -> None:
        """Hold nothing more back; what is held goes at its step."""
        self._slow.clear()


class _Gated(Inline):
    """What it has received and may not hand on yet is this process's memory: a crash drops it, and it comes again."""

    def __init__(self, consumer: Consumer, gate: Gate) -> None:
        super().__init__(consumer)
        self._gate = gate
        self._kept: list[Delivery] = []

    def take(self, limit: int) -> list[Delivery]:
        """Up to the first that is held back."""
        if not self._kept:
            self._kept = super().take(limit)
        passed = list(takewhile(self._gate.passes, self._kept[:limit]))
        del self._kept[: len(passed)]
        return passed
