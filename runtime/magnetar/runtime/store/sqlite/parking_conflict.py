"""Which rows of a group's parking contradict the database, in words; by what was to be done."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from magnetar.runtime.store.sqlite.database import SQL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from magnetar.runtime.store.parking import Parking
    from magnetar.runtime.store.sqlite.connection import Connection


def _in_settled(connection: Connection, parking: Parking) -> Iterator[str]:
    for row in parking.settled:
        found = connection.rows(SQL["disposition"], (row.actor, row.message_id))
        if found not in ([("parked",)], [("dead",)]):
            said = f"is {found[0][0]}" if found else "is unknown"
            yield f"journal: message {row.message_id.hex()} of {row.actor}/{row.key} {said}, neither parked nor dead"


def _in_unparked(connection: Connection, parking: Parking) -> Iterator[str]:
    for actor, key, first, last in parking.unparked:
        found = _between(connection, actor, key, first, last)
        if found != last - first + 1:
            yield f"parked: {actor}/{key} has {found} messages from {first} to {last}"


def _in_parked(connection: Connection, parking: Parking) -> Iterator[str]:
    for row in parking.parked:
        if not parking.vacates(row) and _between(connection, row.actor, row.key, row.ordinal, row.ordinal):
            yield f"parked: place {row.ordinal} of {row.actor}/{row.key} is taken"


def _between(connection: Connection, actor: str, key: str, first: int, last: int) -> int:
    return int(connection.rows(SQL["parked_between"], (actor, key, first, last))[0][0])


def _in_freed(connection: Connection, parking: Parking) -> Iterator[str]:
    for actor, key in parking.freed:
        if not connection.rows(SQL["parked_key"], (actor, key)):
            yield f"parked_keys: {actor}/{key} is not parked"


def _in_failures(connection: Connection, parking: Parking) -> Iterator[str]:
    for row in parking.failures:
        known = connection.rows(SQL["failures_of"], (row.actor, row.message_id))
        if row.number in {number for _, _, number, *_ in known}:
            yield f"failures: number {row.number} of message {row.message_id.hex()} of {row.actor}/{row.key} is known"


def _in_dead_letters(connection: Connection, parking: Parking) -> Iterator[str]:
    for row in parking.dead:
        if connection.rows(SQL["dead_letter"], (row.actor, row.message_id)) == [("dead",)]:
            yield f"dead_letters: message {row.message_id.hex()} of {row.actor}/{row.key} is dead already"


_Finder: TypeAlias = "Callable[[Connection, Parking], Iterator[str]]"
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
