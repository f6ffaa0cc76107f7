"""What a group asks of the outside, tries and closes, written (R29)."""

from __future__ import annotations

from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING

from magnetar.runtime.store.sqlite.writing import add, change

if TYPE_CHECKING:
    from collections.abc import Sequence

    from magnetar.runtime.store.effects import EffectChanges
    from magnetar.runtime.store.sqlite.connection import Connection

_by_first_two = itemgetter(0, 1)


def write_effects(connection: Connection, groups: Sequence[EffectChanges]) -> None:
    """All of it: what is asked, then what is tried, then what is closed. `RowConflict`."""
    asked = sorted(chain.from_iterable(each.asked for each in groups), key=_by_first_two)
    add(connection, "add_effect", "effects", asked)
    moved = sorted(
        (
            (row.actor, row.effect_id, over, row.state, row.attempts, row.doubtful, row.due, row.error, row.error_text)
            for row, over in chain.from_iterable(each.moved for each in groups)
        ),
        key=_by_first_two,
    )
    change(connection, "move_effect", "effects", moved)
    change(connection, "close_effect", "effects", sorted(chain.from_iterable(each.closed for each in groups)))
