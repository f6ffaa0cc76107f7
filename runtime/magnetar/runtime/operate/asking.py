"""Asking the shards' owners, and waiting for their answers (R27). A tool inserts requests, and changes nothing."""

from __future__ import annotations

import os
import time
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from magnetar.runtime.errors import MisuseError
from magnetar.runtime.identity import mint, to_text
from magnetar.runtime.instant import to_datetime
from magnetar.runtime.operate.key_names import shard_of_key, shards_of_actor
from magnetar.runtime.store.port import CommitUnknown
from magnetar.runtime.store.requests import Request, RequestStatus, What
from magnetar.runtime.worker.asked import LETTER, MOST, TYPE, VALUE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from magnetar.runtime.operate.key_names import KeyName
    from magnetar.runtime.store.parking import DeadLetter
    from magnetar.runtime.store.port import ShardName, ShardRow
    from magnetar.runtime.store.replays import Requests
    from magnetar.runtime.store.views import Views

MOST_TEXT = 500
"""Characters of a reason, and of a name."""

MOST_AT_A_TIME = 200
"""So many requests are on their way at a time."""

_POLL = 0.05
_TRIES = 5


class Asker(NamedTuple):
    """Who asks, and why: kept with the request, and shown in the key's timeline."""

    who: str
    why: str

    @classmethod
    def of(cls, who: str, why: str) -> Asker:
        """With both checked. Raises `MisuseError`."""
        for name, text in (("--who", who), ("--why", why)):
            if not 0 < len(text.strip()) <= MOST_TEXT or not text.isprintable():
                message = f"{name} is {text!r:.80}: write 1 to {MOST_TEXT} printable characters"
                raise MisuseError(message)
        return cls(who.strip(), why.strip())


class RequestReport(msgspec.Struct, frozen=True):
    """A request and what became of it. `status` is `asked` while nobody has answered it."""

    id: str
    about: str
    what: str
    status: str
    answer: str
    who: str
    why: str
    asked_at: datetime
    answered_at: datetime | None


class Desk:
    """Makes requests, for one person and reason. One thread."""

    def __init__(self, views: Views, book: Requests, asker: Asker) -> None:
        """`book` is where they are inserted."""
        self._views = views
        self._book = book
        self._asker = asker
        self._shards: list[ShardRow] | None = None

    def about_key(self, name: KeyName, what: What) -> Request:
        """Something is to be done with a key. Raises `MisuseError` for an actor that the store does not know."""
        return self._request(shard_of_key(self._known(), name).shard, what, name.key, {})

    def about_all(self, actor: str, what: What, type_: str) -> list[Request]:
        """Something is to be done in each shard of an actor, with messages of a type, or with all ('')."""
        arguments = {TYPE: type_} if type_ else {}
        return [self._request(row.shard, what, "", arguments) for row in shards_of_actor(self._known(), actor)]

    def about_letter(self, letter: DeadLetter, what: What, most: int | None = None) -> Request:
        """Something is to be done with a dead letter; `most`: unless it was replayed so often."""
        arguments = {LETTER: to_text(letter.message_id)} | ({} if most is None else {MOST: str(most)})
        return self._request(letter.shard, what, letter.key, arguments)

    def edited(self, letter: DeadLetter, value: str) -> Request:
        """A dead letter is to say this instead, which is JSON."""
        return self._request(letter.shard, What.EDIT, letter.key, {LETTER: to_text(letter.message_id), VALUE: value})

    def _known(self) -> list[ShardRow]:
        if self._shards is None:
            self._shards = self._views.shards()
        return self._shards

    def _request(self, shard: ShardName, what: What, key: str, arguments: dict[str, str]) -> Request:
        about = msgspec.json.encode(arguments).decode()
        request_id = mint(self._views.now(), os.urandom)
        return Request(
            request_id, shard, what.value, key, about, *self._asker, 0, RequestStatus.ASKED.value, "", None, None
        )

    def ask(self, requests: Sequence[Request], patience: float) -> Iterator[Request]:
        """Ask, and yield each with its answer as it comes; after `patience` seconds without one, those still waiting.

        Raises `StoreUnavailable`. A request that is there stays, whatever becomes of the tool.
        """
        for start in range(0, len(requests), MOST_AT_A_TIME):
            part = requests[start : start + MOST_AT_A_TIME]
            self._insert(part)
            yield from self._answers(part, patience)

    def _insert(self, requests: Sequence[Request]) -> None:
        """Asking again is right where nobody knows whether it was done."""
        for _ in range(_TRIES):
            try:
                self._book.ask(requests)
            except CommitUnknown:
                continue
            return
        self._book.ask(requests)

    def _answers(self, requests: Sequence[Request], patience: float) -> Iterator[Request]:
        left = [request.id for request in requests]
        deadline = time.monotonic() + patience
        while left:
            found = self._views.requests(left)
            answered = [request for request in found if request.status != RequestStatus.ASKED]
            if answered:
                deadline = time.monotonic() + patience
                gone = {request.id for request in answered}
                left = [each for each in left if each not in gone]
                yield from answered
            elif time.monotonic() >= deadline:
                yield from found
                return
            else:
                time.sleep(_POLL)


def told(request: Request) -> RequestReport:
    """A request as people and scripts read it."""
    arguments = msgspec.json.decode(request.arguments, type=dict[str, str])
    actor = request.shard.rpartition("/")[0]
    about = f"{actor}/{request.key}" if request.key else request.shard
    if (subject := arguments.get(LETTER) or arguments.get(TYPE)) is not None:
        about = f"{about}, {subject}"
    answered = None if request.answered_at is None else to_datetime(request.answered_at)
    return RequestReport(
        to_text(request.id), about, request.what, request.status, request.answer, request.who, request.why,
        to_datetime(request.asked_at), answered,
    )  # fmt: skip


def unanswered(requests: Iterable[RequestReport]) -> list[RequestReport]:
    """Those that wait for a shard's owner still."""
    return [each for each in requests if each.status == RequestStatus.ASKED]
