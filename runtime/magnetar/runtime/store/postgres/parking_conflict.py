"""Which rows of a group's parking contradict the database, in words; by what was to be done."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from magnetar.runtime.store.postgres.packing import integer, text, uuids

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from magnetar.runtime.store.parking import Parking
    from magnetar.runtime.store.postgres.connection import Rows


def _in_settled(ask: Ask, parking: Parking) -> Iterator[str]:
    for row in parking.settled:
        found = ask("dispositions", text(row.actor), uuids([row.message_id]))
        known = found[0][1] if found else "unknown"
        if known not in {"parked", "dead"}:
            said = f"is {known}, neither parked nor dead"
            yield f"journal: message {row.message_id.hex()} of {row.actor}/{row.key} {said}"


def _in_unparked(ask: Ask, parking: Parking) -> Iterator[str]:
    for actor, key, first, last in parking.unparked:
        found = _between(ask, actor, key, first, last)
        if found != last - first + 1:
            yield f"parked: {actor}/{key} has {found} messages from {first} to {last}"


def _in_parked(ask: Ask, parking: Parking) -> Iterator[str]:
    for row in parking.parked:
        if not parking.vacates(row) and _between(ask, row.actor, row.key, row.ordinal, row.ordinal):
            yield f"parked: place {row.ordinal} of {row.actor}/{row.key} is taken"


def _between(ask: Ask, actor: str, key: str, first: int, last: int) -> int:
    return int(ask("parked_between", text(actor), text(key), integer(first), integer(last))[0][0])


def _in_freed(ask: Ask, parking: Parking) -> Iterator[str]:
    for actor, key in parking.freed:
        if not ask("parked_key", text(actor), text(key)):
            yield f"parked_keys: {actor}/{key} is not parked"


def _in_failures(ask: Ask, parking: Parking) -> Iterator[str]:
    for row in parking.failures:
        known = ask("failures_of", text(row.actor), row.message_id)
        if row.number in {number for _, _, number, *_ in known}:
            yield f"failures: number {row.number} of message {row.message_id.hex()} of {row.actor}/{row.key} is known"


def _in_dead_letters(ask: Ask, parking: Parking) -> Iterator[str]:
    for row in parking.dead:
        if ask("dead_letter", text(row.actor), row.message_id) == [("dead",)]:
            yield f"dead_letters: message {row.message_id.hex()} of {row.actor}/{row.key} is dead already"


Ask: TypeAlias = "Callable[..., Rows]"
_Finder: TypeAlias = "Callable[[Ask, Parking], Iterator[str]]"
PARKING_FINDERS: Mapping[str, _Finder] = MappingProxyType(
    {
        "settled": _in_settled,
        "unparked": _in_unparked,
        "parked": _in_parked,
        "freed": _in_freed,
        "failures": _in_failures,
        "dead_letters": _in_dead_letters,
    }
)
