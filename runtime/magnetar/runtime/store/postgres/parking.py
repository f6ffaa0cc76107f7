"""What a group parks, frees and buries, made into calls (R2, R22, R24)."""

from __future__ import annotations

from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING

from magnetar.runtime.store.postgres.columns import JOURNAL, call
from magnetar.runtime.store.postgres.packing import blobs, integers, optional_integers, texts, uuids

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from magnetar.runtime.store.parking import Parking
    from magnetar.runtime.store.postgres.connection import Call

_ORIGIN = (texts, texts, blobs, texts, texts, texts, texts, integers, integers, texts, texts)  # from type to timer
_PARKED = (texts, texts, integers, texts, uuids, *_ORIGIN, integers)
_KEYS = (
    *(texts, texts, texts, texts, integers, integers, integers, optional_integers, texts, texts, integers),
    *(texts, integers),
)
_FAILURES = (texts, uuids, integers, texts, texts, texts, texts, texts, texts, integers)
_DEAD = (texts, uuids, texts, texts, *_ORIGIN, texts, texts, texts, integers, integers, integers, texts, integers)
_by_two = itemgetter(0, 1)
_by_three = itemgetter(0, 1, 2)


def parking_writes(parkings: Sequence[Parking]) -> Iterator[tuple[str, Call]]:
    """All of it, what goes before what comes, each statement with the name by which its conflict is looked up."""
    settled = sorted(chain.from_iterable(each.settled for each in parkings), key=itemgetter(1, 0))
    yield from call("settled", "settle", JOURNAL, settled)
    yield from _parked(parkings)
    yield from _keys(parkings)
    failures = sorted(chain.from_iterable(each.failures for each in parkings), key=_by_three)
    yield from call("failures", "add_failures", _FAILURES, failures)
    dead = sorted(chain.from_iterable(each.dead for each in parkings), key=_by_two)
    yield from call("dead_letters", "add_dead_letters", _DEAD, dead)


def _parked(parkings: Sequence[Parking]) -> Iterator[tuple[str, Call]]:
    gone = sorted(chain.from_iterable(each.unparked for each in parkings))
    yield from call("unparked", "unpark", (texts, texts, integers, integers), gone)
    parked = sorted(chain.from_iterable(each.parked for each in parkings), key=_by_three)
    yield from call("parked", "park", _PARKED, parked)


def _keys(parkings: Sequence[Parking]) -> Iterator[tuple[str, Call]]:
    """Of a key written twice, the last."""
    yield from call("freed", "free", (texts, texts), sorted(chain.from_iterable(each.freed for each in parkings)))
    keys = {_by_two(row): row for each in parkings for row in each.parked_keys}
    yield from call("", "park_keys", _KEYS, [keys[name] for name in sorted(keys)])
