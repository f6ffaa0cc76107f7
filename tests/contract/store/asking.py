"""Rows of effects, and any history of them: what a model of the store knows of what is asked (R29)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.runtime.store.effects import ClosedEffect, EffectChanges, EffectMove, EffectRow, EffectState
from tests.contract.store.harness import ACTOR, SHARD
from tests.contract.store.rows import message_id

if TYPE_CHECKING:
    from collections.abc import Mapping


def effect_row(number: int, key: str = "o-1", due: int = 10, shard: str = SHARD, actor: str = ACTOR) -> EffectRow:
    """What is asked under id `number`; every column differs from its neighbours."""
    return EffectRow(
        actor=actor,
        effect_id=message_id(number),
        shard=shard,
        key=key,
        dependency="psp",
        type="shop.Charge",
        schema="d" * 32,
        body=b"\x00request\xff",
        correlation_id="correlation",
        causation_id="causation",
        asked_at=1_700_000_000_000_000 + number,
        state=EffectState.ASKED.value,
        attempts=0,
        doubtful=0,
        due=due,
        error="",
        error_text="",
    )


def tried(row: EffectRow, due: int = 99) -> EffectMove:
    """Its next attempt begins."""
    opened = row._replace(
        state=EffectState.OPEN.value, attempts=row.attempts + 1, doubtful=row.doubtful + 1, due=due, error="shop.Late",
        error_text="it took \N{SNOWMAN} too long",
    )  # fmt: skip
    return EffectMove(opened, row.attempts)


def closed(row: EffectRow) -> ClosedEffect:
    """It has its outcome."""
    return ClosedEffect(row.actor, row.effect_id)


def step(known: Mapping[bytes, EffectRow], group: EffectChanges, row: EffectRow, what: str) -> None:
    """Add to a group what becomes of an effect that it has not touched: it is tried, doubted or closed.

    One that is not known can only be asked, one that is known cannot be asked again.
    """
    if any(touched.effect_id == row.effect_id for touched in group.touched()):
        return
    there = known.get(row.effect_id)
    if there is None:
        group.asked.append(row)
    elif what == "close":
        group.closed.append(closed(there))
    elif what == "try":
        group.moved.append(tried(there, due=there.due + 7))
    elif what == "doubt" and there.attempts:
        group.moved.append(
            EffectMove(there._replace(state=EffectState.UNKNOWN.value, due=there.due - 3), there.attempts)
        )


def spoil(known: Mapping[bytes, EffectRow], group: EffectChanges, wrong: str) -> bool:
    """Make the group contradict what is known: ask anew, count an attempt twice, or close what is not there."""
    untouched = [row for row in known.values() if closed(row) not in group.touched()]
    if wrong == "asked twice" and untouched:
        group.asked.append(untouched[0])
    elif wrong == "attempt" and untouched:
        group.moved.append(tried(untouched[0]._replace(attempts=untouched[0].attempts + 1)))
    elif wrong == "closed":
        group.closed.append(ClosedEffect(ACTOR, b"never was asked."))
    else:
        return False
    return True


def follow(known: dict[bytes, EffectRow], group: EffectChanges) -> None:
    """What is known after the group is committed."""
    known.update({row.effect_id: row for row in group.asked})
    known.update({move.row.effect_id: move.row for move in group.moved})
    for each in group.closed:
        del known[each.effect_id]


def in_order(rows: Mapping[bytes, EffectRow]) -> list[EffectRow]:
    """By due time, then by id: as the next owner reads them."""
    return sorted(rows.values(), key=lambda row: (row.due, row.effect_id))
