"""A request with all that executing it needs: the message that it is about, read from the store (R27)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from magnetar.runtime.identity import id_of
from magnetar.runtime.instant import to_iso
from magnetar.runtime.store.parking import ParkedRow, Reason
from magnetar.runtime.store.requests import What
from magnetar.runtime.worker.parking import rows_of, waiting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from magnetar.runtime.store.parking import DeadLetter, ParkedKey
    from magnetar.runtime.store.port import Store
    from magnetar.runtime.store.requests import Request
    from magnetar.runtime.worker.arrival import Arrival
    from magnetar.runtime.worker.reading import Reader
    from magnetar.runtime.worker.shard import Shard

LETTER, TYPE, MOST, VALUE = "letter", "type", "most", "value"
"""Names of arguments: a message id, a message type, how often a letter may have been replayed before, and JSON."""

ENDED = "a worker ended while it tried this message; it is not tried again unless somebody asks once more"
"""The answer to who has asked for a message to be tried that ends its worker (R24)."""

_arguments = msgspec.json.Decoder(dict[str, str]).decode


class Declined(Exception):
    """Nothing is done; the text says why, and what to do."""


class FailedAgain(Exception):
    """A message was tried, and has failed; the text says with what."""


class GoesAlone(Exception):
    """It has ended a worker before: nothing else may be in its group (R25)."""


class NoRoom(Exception):
    """Nothing is done now; it is done as soon as a dependency's queue has room, and is answered then."""


class Asked(NamedTuple):
    """`arrival` is the key's head, or the dead letter's message; None where none is needed, or there is none."""

    request: Request
    arguments: Mapping[str, str]
    arrival: Arrival | None = None
    letter: DeadLetter | None = None


def look_up(store: Store, reader: Reader, shard: Shard, request: Request, *, alone: bool) -> Asked:
    """Read what the request is about. Raises `StoreUnavailable`, and `SchemaUnavailable` for what is to be tried.

    `GoesAlone`: nothing was opened. Arguments that cannot be understood are none: it will be refused.
    """
    arguments, key = _understood(request), shard.parking.keys.get(request.key)
    if letter_id := _letter_of(shard, request):
        return _about_letter(store, reader, shard, Asked(request, arguments), id_of(letter_id), alone=alone)
    if request.what == What.SKIP and key is not None:
        return Asked(request, arguments, _head(store, reader, key))
    return Asked(request, arguments)


def _understood(request: Request) -> Mapping[str, str]:
    try:
        return _arguments(request.arguments)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return {}


def _letter_of(shard: Shard, request: Request) -> str:
    """The id of the dead letter that it is about, as text; '' for none."""
    key, named = shard.parking.keys.get(request.key), _understood(request).get(LETTER, "")
    if named or key is None or key.reason != Reason.HELD or request.what not in {What.RETRY, What.SKIP}:
        return named
    return key.held_by


def to_be_tried(shard: Shard, request: Request) -> str:
    """The id of the dead letter that is opened and handled for it, as text: it goes alone (R25). '' for none."""
    return _letter_of(shard, request) if request.what in {What.REPLAY, What.RETRY} else ""


def _head(store: Store, reader: Reader, key: ParkedKey) -> Arrival | None:
    """What waits first for the key. Given up unread: what it says does not matter."""
    rows = rows_of(store, key, 1)
    return reader.bare(rows[0]) if rows else None


def _about_letter(store: Store, reader: Reader, shard: Shard, asked: Asked, message_id: bytes, *, alone: bool) -> Asked:
    letter = store.letter(shard.plan.name, message_id)
    if letter is None or letter.shard != shard.name:
        return asked
    row = ParkedRow(letter.actor, letter.key, 0, letter.shard, letter.message_id, *letter[4:15], letter.dead_at)
    tries = asked.request.what in {What.REPLAY, What.RETRY}
    if tries and letter.crashes and not alone:
        raise GoesAlone
    arrival = reader.parked(shard.plan, row, letter.failures) if tries else reader.bare(row)
    return asked._replace(arrival=_buried(arrival), letter=letter)


def _buried(arrival: Arrival) -> Arrival:
    """A timer that died is armed no more: it is a message like any other."""
    return msgspec.structs.replace(arrival, ordinal=None, timer=None, buried=True)


def waiting_on(key: ParkedKey | None) -> str:
    """How many messages wait for the key, in words."""
    count = 0 if key is None else waiting(key)
    return f"{count} {'message waits' if count == 1 else 'messages wait'} for it"


def due_of(key: ParkedKey) -> str:
    """When the key goes on by itself, in words."""
    return f"its first message is tried again at {to_iso(key.due)}" if key.due is not None else f"it is {key.reason}"
