"""What a group asks of the outside, tries and closes, made into calls (R29)."""

from __future__ import annotations

from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING

from magnetar.runtime.store.postgres.columns import call
from magnetar.runtime.store.postgres.packing import blobs, integers, texts, uuids

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from magnetar.runtime.store.effects import EffectChanges
    from magnetar.runtime.store.postgres.connection import Call

_EFFECTS = (
    *(texts, uuids, texts, texts, texts, texts, texts, blobs, texts, texts),
    *(integers, texts, integers, integers, integers, texts, texts),
)
_MOVES = (texts, uuids, integers, texts, integers, integers, integers, texts, texts)
_by_two = itemgetter(0, 1)


def effect_writes(groups: Sequence[EffectChanges]) -> Iterator[tuple[str, Call]]:
    """All of it: what is asked, then what is tried, then what is closed."""
    asked = sorted(chain.from_iterable(each.asked for each in groups), key=_by_two)
    yield from call("effects", "add_effects", _EFFECTS, asked)
    moved = [
        (row.actor, row.effect_id, over, row.state, row.attempts, row.doubtful, row.due, row.error, row.error_text)
        for row, over in chain.from_iterable(each.moved for each in groups)
    ]
    yield from call("effects", "move_effects", _MOVES, sorted(moved, key=_by_two))
    closed = sorted(chain.from_iterable(each.closed for each in groups))
    yield from call("effects", "close_effects", (texts, uuids), closed)
