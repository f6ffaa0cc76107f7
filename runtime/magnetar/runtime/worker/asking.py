"""What a handler asks of the outside → rows, if there is room for them; and what closes them. Pure (R29)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from magnetar.runtime.errors import BrokenPromise, MisuseError
from magnetar.runtime.identity import to_text
from magnetar.runtime.store.effects import ClosedEffect, EffectRow, EffectState
from magnetar.runtime.worker.failing import Crowded
from magnetar.schemas import contract_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from magnetar.runtime.context import Asked, Context
    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.port import ShardChanges
    from magnetar.runtime.worker.arrival import Arrival
    from magnetar.runtime.worker.decisions import Told
    from magnetar.runtime.worker.shard import Shard


class Asking:
    """The effects of one shard's part of a group."""

    def __init__(self, shard: Shard, changes: ShardChanges) -> None:
        """`changes` gets the rows."""
        self._shard = shard
        self._plan = shard.plan
        self._changes = changes

    def effects(self, arrival: Arrival, context: Context, now: Instant) -> list[EffectRow]:
        """Rows for all that the handler asked. Raises `MisuseError`, `EncodeFailed`, `Crowded`."""
        rows = [self._row(arrival, asked, now) for asked in context.asked]
        self._find_room(rows)
        return rows

    def ask(self, rows: Sequence[EffectRow]) -> list[Told]:
        """These are asked; returns what the timeline tells of them."""
        if rows:
            self._changes.to_ask().asked += rows
        return [asked_of(row) for row in rows]

    def close(self, effect: EffectRow) -> None:
        """An effect closes in the commit that gives its outcome a disposition. Asserted always: it had none before."""
        if effect.effect_id not in self._shard.errands.rows:
            message = (
                f"shard {self._shard.name}: effect {effect.effect_id.hex()} of {effect.key!r} has an outcome already"
            )
            raise BrokenPromise(message)
        self._changes.to_ask().closed.append(ClosedEffect(effect.actor, effect.effect_id))

    def _find_room(self, rows: Sequence[EffectRow]) -> None:
        """A message that asks for more than a whole queue finds its room in an empty one."""
        so_far = () if self._changes.effects is None else self._changes.effects.asked
        asked, own = Counter(row.dependency for row in so_far), Counter(row.dependency for row in rows)
        bounds = {row.dependency: self._plan.effects[row.type].dependency.queue for row in rows}
        for name, bound in bounds.items():
            queued = self._shard.errands.counts[name] + asked[name]
            if queued and queued + own[name] > bound:
                text = f"{queued} effects of shard {self._shard.name} wait for {name}; {bound} have room there"
                raise Crowded(name, text)

    def _row(self, arrival: Arrival, asked: Asked, now: Instant) -> EffectRow:
        kind = contract_name(type(asked.request))
        effect = self._plan.effects.get(kind)
        if effect is None:
            message = f"actor {self._plan.name!r} has no function for effect {type(asked.request).__name__}"
            raise MisuseError(message)
        return EffectRow(
            self._plan.name, asked.effect_id, self._shard.name, arrival.key, effect.dependency.name, kind,
            effect.codec.schema.fingerprint, effect.codec.encode(asked.request), arrival.envelope.correlation_id,
            arrival.envelope.message_id, now, EffectState.ASKED.value, 0, 0, now, "", "",
        )  # fmt: skip


def asked_of(row: EffectRow) -> Told:
    """What the timeline says of an effect."""
    return {"effect": row.type, "asks": row.dependency, "idempotency_key": to_text(row.effect_id)}
