"""What a group takes in hand, lays aside and charges, made into calls; and shards' rows with what is in hand (R25)."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

from magnetar.runtime.store.care import Caution, Hand
from magnetar.runtime.store.port import ShardRow
from magnetar.runtime.store.postgres.columns import call
from magnetar.runtime.store.postgres.connection import Call
from magnetar.runtime.store.postgres.database import SQL
from magnetar.runtime.store.postgres.packing import integers, texts, uuids

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from magnetar.runtime.bus.port import Position
    from magnetar.runtime.store.care import Care
    from magnetar.runtime.store.port import ShardName

_HANDS = (texts, uuids, texts, texts, texts, texts, integers, integers)
_CRASHES = (texts, uuids, integers, texts, texts, texts, texts, texts, integers)


def care_writes(cares: Sequence[tuple[ShardName, Care]]) -> Iterator[tuple[str, Call]]:
    """All of it, what goes before what comes, each statement with the name by which its conflict is looked up."""
    done = [(shard, message_id) for shard, care in cares for message_id in care.done]
    yield from call("", "drop_hands", (texts, uuids), done)
    yield from call("", "hold", _HANDS, [hand for _, care in cares for hand in care.held])
    crashes = sorted((row for _, care in cares for row in care.crashes), key=itemgetter(0, 1, 2))
    yield from call("crashes", "add_crashes", _CRASHES, crashes)
    if eased := [shard for shard, care in cares if care.eased]:
        yield "", Call(SQL["ease"], (texts(eased),))


def shard_row(row: tuple[Any, ...], positions: Mapping[str, Position], hands: Iterable[tuple[Any, ...]]) -> ShardRow:
    """Of the columns in the order of `ShardRow`, its caution at the end; of hands, in that of `Hand`."""
    return ShardRow._make((*row[:-1], positions, Caution(row[-1]), tuple(map(Hand._make, hands))))
