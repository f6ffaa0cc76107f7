"""Rows of what is asked of the outside world and not answered yet (R29): part of the store port.

Texts of errors come from anywhere: whoever makes a row bounds them, as in `store.parking`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.port import ShardName


class EffectState(StrEnum):
    """How an effect stands."""

    ASKED = "asked"  # no attempt is open or in doubt
    OPEN = "open"  # the last attempt is committed, and has no answer yet
    UNKNOWN = "unknown"  # an attempt may have been done, and nobody knows; asked again when due


class EffectRow(NamedTuple):
    """An effect that a key has asked for; it goes in the commit in which its outcome gets a disposition.

    `effect_id` is its idempotency key, derived from the message that asked (`causation_id`). `attempts` are those
    committed; of these `doubtful` may have been done without our knowing, an open one too. `due`: when it is asked
    next; of an open one: when it has had its time. `error` and `error_text` are of the last attempt that told one.
    """

    actor: str
    effect_id: bytes
    shard: ShardName
    key: str
    dependency: str
    type: str
    schema: str
    body: bytes
    correlation_id: str
    causation_id: str
    asked_at: Instant
    state: str
    attempts: int
    doubtful: int
    due: Instant
    error: str
    error_text: str


class EffectMove(NamedTuple):
    """An effect as it is from now on: an attempt begins, or one has ended without an outcome.

    It must be there, with `over` attempts.
    """

    row: EffectRow
    over: int


class ClosedEffect(NamedTuple):
    """An effect whose outcome is in this commit: its row goes, and must be there."""

    actor: str
    effect_id: bytes


@dataclass(slots=True)
class EffectChanges:
    """What one group asks, tries and closes in one shard, in this order. Each breach of a *must*: `VersionConflict`."""

    asked: list[EffectRow] = field(default_factory=list)  # must be new
    moved: list[EffectMove] = field(default_factory=list)
    closed: list[ClosedEffect] = field(default_factory=list)

    def touched(self) -> list[ClosedEffect]:
        """Every effect that the group writes, once."""
        written = [*self.asked, *(move.row for move in self.moved)]
        return sorted({*self.closed, *(ClosedEffect(row.actor, row.effect_id) for row in written)})

    def contradiction(self, effect: ClosedEffect, attempts: int | None) -> str | None:
        """Why a store in which the effect has so many attempts (None: it is not there) takes no such group."""
        what = f"effects: {effect.effect_id.hex()} of {effect.actor}"
        asked = any(row[:2] == effect for row in self.asked)
        if asked and attempts is not None:
            return f"{what} is asked already"
        over = next((move.over for move in self.moved if move.row[:2] == effect), None)
        if not asked and attempts is None:
            return f"{what} is closed already, or was never asked"
        if over is not None and attempts is not None and over != attempts:
            return f"{what} has {attempts} attempts, this worker knows {over}"
        return None
