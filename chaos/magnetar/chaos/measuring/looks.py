"""When messages were applied, as somebody saw it from outside: for runs in which clocks are wrong."""

from __future__ import annotations

from bisect import bisect_left
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from magnetar.runtime.bus.port import Position

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from magnetar.chaos.evidence import Evidence
    from magnetar.runtime.instant import Instant


class Look(NamedTuple):
    """How far each feed (`topic/partition`) had come, by what the store said at an instant of the looker's clock."""

    at: Instant
    reached: Mapping[str, Position]


def reached(evidence: Evidence, looks: Iterable[Look]) -> dict[tuple[str, bytes], Instant]:
    """Of each message of a topic, by actor and id: the first look, of looks by time, at which its feed was so far.

    That is when it was applied, or parked; late by the time between two looks.
    """
    feeds: dict[str, list[tuple[Position, Instant]]] = {}
    for look in looks:
        for feed, position in look.reached.items():
            line = feeds.setdefault(feed, [])
            if not line or line[-1][0] < position:
                line.append((position, look.at))
    found: dict[tuple[str, bytes], Instant] = {}
    for who, row in evidence.journal.items():
        line = feeds.get(row.source, [])
        place = bisect_left(line, Position.parse(row.position), key=itemgetter(0)) if row.position else len(line)
        if place < len(line):
            found[who] = line[place][1]
    return found
