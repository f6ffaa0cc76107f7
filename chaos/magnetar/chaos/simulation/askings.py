"""What a run meets of effects, by their commits: attempts after a takeover, outcomes that wait, contradictions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.runtime.store.effects import EffectState
from magnetar.runtime.store.parking import Reason
from magnetar.runtime.worker.arrival import EFFECT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from magnetar.runtime.store.port import ShardChanges


class Askings:
    """Effects as they were committed so far; one for a run."""

    def __init__(self) -> None:
        self._epochs: dict[bytes, int] = {}

    def met(self, changes: ShardChanges) -> Iterator[str]:
        """Situations that this part of a commit was."""
        if changes.parking is not None:
            if any(key.reason == Reason.CROWDED for key in changes.parking.parked_keys):
                yield "who asked found a dependency's queue full"
            if any(row.source == EFFECT for row in changes.parking.parked):
                yield "an outcome waited behind a failure"
        if changes.effects is not None:
            yield from self._tried(changes)
        told = sum(row.source == EFFECT for row in changes.journal)
        if told > (0 if changes.effects is None else len(changes.effects.closed)):
            yield "an answer contradicted what was told"

    def _tried(self, changes: ShardChanges) -> Iterator[str]:
        for row, _ in changes.effects.moved if changes.effects is not None else ():
            before = self._epochs.get(row.effect_id, changes.epoch)
            self._epochs[row.effect_id] = changes.epoch
            if row.state == EffectState.OPEN and before < changes.epoch:
                yield "an effect was asked again after a takeover"
