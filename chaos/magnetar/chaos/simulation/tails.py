"""What becomes of parked keys, as the database and the broker see it: situations worth meeting, told to the history."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from magnetar.runtime import envelope as wire
from magnetar.runtime.instant import from_iso
from magnetar.runtime.store.parking import Reason
from magnetar.runtime.store.port import Disposition
from magnetar.runtime.worker.intake import Inline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from magnetar.chaos.history import History
    from magnetar.runtime.bus.port import Consumer, Delivery, Position
    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.parking import ParkedKey, Parking
    from magnetar.runtime.store.port import ShardChanges

    Who = tuple[str, str]


class Known(NamedTuple):
    """A parked key as it was committed last, and under which epoch."""

    key: ParkedKey
    epoch: int

    @property
    def goes_on(self) -> bool:
        """Whether its head has not failed yet: the one before it was applied or skipped in an earlier group."""
        return self.key.reason == Reason.RETRY.value and not self.key.failures


class Tails:
    """Follows what is committed. The checkers do not ask it."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._keys: dict[Who, Known] = {}
        self._rung: set[tuple[str, Instant]] = set()

    def known(self, actor: str, key: str) -> ParkedKey | None:
        """The key as it was committed last, if it is parked."""
        found = self._keys.get((actor, key))
        return None if found is None else found.key

    def committed(self, changes: ShardChanges) -> None:
        """One shard's part of a commit that the database accepted."""
        parking = changes.parking
        if parking is None:
            return
        for situation in (*self._keys_met(changes, parking), *_rows_met(changes, parking)):
            self._history.meet(situation)
        for key in parking.parked_keys:
            self._keys[key.actor, key.key] = Known(key, changes.epoch)
        for who in parking.freed:
            self._keys.pop(who, None)

    def heard(self, bell: Delivery) -> None:
        """A bell is acknowledged: it rings, unless its key waits for another time by now."""
        due = from_iso(bell.properties[wire.DUE])
        if any(known.key.key == bell.key and known.key.due == due for known in self._keys.values()):
            self._rung.add((bell.key or "", due))
        else:
            self._history.meet("a bell of an earlier time was acknowledged")

    def _keys_met(self, changes: ShardChanges, parking: Parking) -> Iterator[str]:
        after: dict[Who, ParkedKey | None] = {(key.actor, key.key): key for key in parking.parked_keys}
        after.update(dict.fromkeys(parking.freed))
        for who, key in after.items():
            before = self._keys.get(who)
            if before is None:
                yield "a key was parked"
            elif key is None or key.first > before.key.first:
                yield from self._gone_on(before, changes.epoch)
            if before is not None and before.key.failures and _is_tried(before.key, key):
                rung = (before.key.key, before.key.due) in self._rung
                yield f"a failed head was tried again by its {'bell' if rung else 'row'}"

    def _gone_on(self, before: Known, epoch: int) -> Iterator[str]:
        if before.goes_on:
            yield "a tail was applied in more than one group"
        if before.epoch < epoch and before.key.last > before.key.first:
            yield "a tail went on after a takeover"


def _is_tried(before: ParkedKey, after: ParkedKey | None) -> bool:
    return after is None or (after.first, after.failures) != (before.first, before.failures)


def _rows_met(changes: ShardChanges, parking: Parking) -> Iterator[str]:
    applied = {(row.actor, row.key) for row in changes.journal if row.disposition == Disposition.APPLIED.value}
    if applied.intersection(parking.freed):
        yield "more came for a key in the group that freed it"
    if any(row.timer for row in parking.parked):
        yield "a timer waited behind a failure"
    if any(row.disposition == Disposition.SKIPPED.value for row in parking.settled):
        yield "a timer that waited had been cancelled"
    held = {key.key for key in parking.parked_keys if key.reason == Reason.HELD.value}
    for letter in parking.dead:
        yield "a dead letter held its key" if letter.key in held else "a dead letter was skipped"


class Listening(Inline):
    """A source that tells of the bells that are acknowledged."""

    def __init__(self, consumer: Consumer, tails: Tails) -> None:
        super().__init__(consumer)
        self._tails = tails
        self._bells: list[Delivery] = []

    def take(self, limit: int) -> list[Delivery]:
        """See `Source`."""
        taken = super().take(limit)
        self._bells += [each for each in taken if wire.DUE in each.properties]
        return taken

    def acknowledge(self, position: Position) -> None:
        """See `Source`."""
        while self._bells and self._bells[0].position <= position:
            self._tails.heard(self._bells.pop(0))
        super().acknowledge(position)
