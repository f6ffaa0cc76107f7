"""What a group parks, frees and buries, written (R2, R22, R24)."""

from __future__ import annotations

from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING

from magnetar.runtime.store.sqlite.writing import add, all_or_conflict, change, run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from magnetar.runtime.store.parking import Parking
    from magnetar.runtime.store.sqlite.connection import Connection

_by_first_two = itemgetter(0, 1)
_by_first_three = itemgetter(0, 1, 2)


def write_parking(connection: Connection, parkings: Sequence[Parking]) -> None:
    """All of it, what goes before what comes. `RowConflict`."""
    _settle(connection, parkings)
    _write_parked(connection, parkings)
    _write_keys(connection, parkings)
    failures = sorted(chain.from_iterable(each.failures for each in parkings), key=_by_first_three)
    add(connection, "add_failure", "failures", failures)
    dead = sorted(chain.from_iterable(each.dead for each in parkings), key=_by_first_two)
    change(connection, "add_dead_letter", "dead_letters", dead)


def _settle(connection: Connection, parkings: Sequence[Parking]) -> None:
    settled = sorted(chain.from_iterable(each.settled for each in parkings), key=_by_first_two)
    change(connection, "settle", "settled", settled)


def _write_parked(connection: Connection, parkings: Sequence[Parking]) -> None:
    gone = sorted(chain.from_iterable(each.unparked for each in parkings))
    wanted = sum(last - first + 1 for _, _, first, last in gone)
    all_or_conflict(run(connection, "unpark", gone), wanted, "unparked")
    parked = sorted(chain.from_iterable(each.parked for each in parkings), key=_by_first_three)
    add(connection, "park", "parked", parked)


def _write_keys(connection: Connection, parkings: Sequence[Parking]) -> None:
    change(connection, "free", "freed", sorted(chain.from_iterable(each.freed for each in parkings)))
    run(connection, "park_key", sorted(chain.from_iterable(each.parked_keys for each in parkings), key=_by_first_two))
