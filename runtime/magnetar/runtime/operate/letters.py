"""Dead letters, found, counted by cause, and shown in full. Read from a store's views; no app's code is needed."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from magnetar.runtime.errors import MisuseError
from magnetar.runtime.identity import to_text
from magnetar.runtime.instant import to_datetime
from magnetar.runtime.operate.asking import RequestReport, told
from magnetar.runtime.operate.decoding import Content, Decoding
from magnetar.runtime.operate.keys import FailureReport
from magnetar.runtime.store.views import Which

if TYPE_CHECKING:
    from collections.abc import Sequence

    from magnetar.runtime.store.parking import DeadLetter
    from magnetar.runtime.store.views import Views

LEAST_DIGITS = 6
"""So many digits of an id's end must be given."""

_MOST_ASKED = 50
_properties = msgspec.json.Decoder(dict[str, str]).decode


class LetterReport(msgspec.Struct, frozen=True):
    """A dead letter in a list. `status`: `dead`, `replayed` or `discarded`; `replays`: how often it was tried again."""

    message_id: str
    actor: str
    key: str
    type: str
    error: str
    error_text: str
    fingerprint: str
    failures: int
    crashes: int
    replays: int
    dead_at: datetime
    status: str
    shard: str


class EditReport(msgspec.Struct, frozen=True):
    """Somebody has changed what a letter says; `before` is what it had said, and `body` the bytes of that."""

    who: str
    why: str
    edited_at: datetime
    before: Content
    body: bytes


class LetterDetail(msgspec.Struct, frozen=True):
    """A dead letter in full.

    `content` is read with the schema of its writer; `body` are its bytes, in base64. `source` and `position`
    are where it came from, `properties` what came with it. `timer` is a timer's name, '' for a message.
    """

    letter: LetterReport
    content: Content
    body: bytes
    schema: str
    source: str
    position: str
    correlation_id: str
    causation_id: str
    occurred_at: datetime
    published_at: datetime
    properties: dict[str, str]
    timer: str
    attempts: list[FailureReport]
    requests: list[RequestReport]
    edits: list[EditReport]


class GroupReport(msgspec.Struct, frozen=True):
    """Dead letters of one cause: the same actor, message type, class and text of error, numbers and ids apart.

    `example` is the text of one of them.
    """

    fingerprint: str
    actor: str
    type: str
    error: str
    example: str
    letters: int
    keys: int
    first: datetime
    last: datetime


def found(views: Views, which: Which, limit: int) -> list[LetterReport]:
    """Those that died last come first."""
    return [reported(letter) for letter in views.letters(which, limit)]


def groups(views: Views, which: Which, limit: int) -> list[GroupReport]:
    """The largest first."""
    return [
        GroupReport(
            group.fingerprint, group.actor, group.type, group.error, group.error_text, group.letters, group.keys,
            to_datetime(group.first), to_datetime(group.last),
        )
        for group in views.letter_groups(which, limit)
    ]  # fmt: skip


def one(views: Views, name: str, actor: str | None = None) -> DeadLetter:
    """The letter whose message id this is, or ends so. Raises `MisuseError` where there is none, or are several."""
    letters = views.letters(Which(actor=actor, message=digits(name), status=""), 2)
    if not letters:
        message = f"there is no dead letter {name!r}; `magnetar dlq list --status all` names those there are"
        raise MisuseError(message)
    if len(letters) > 1:
        message = f"{name!r} is the end of several dead letters' ids: give more of it, or --actor"
        raise MisuseError(message)
    return letters[0]


def digits(name: str) -> str:
    """The hexadecimal digits of an id, or of its end as screens show it. `MisuseError` for other text."""
    text = name.removeprefix("…").replace("-", "").lower()
    try:
        UUID(text.rjust(32, "0"))
    except ValueError:
        text = ""
    if len(text) < LEAST_DIGITS:
        message = f"{name!r:.80} is no message id: write it whole, or at least its last {LEAST_DIGITS} digits"
        raise MisuseError(message)
    return text


def shown(views: Views, letter: DeadLetter) -> LetterDetail:
    """In full."""
    failures = views.failures_of(letter.actor, letter.message_id)
    decoding = Decoding(views.schemas())
    asked = views.requests_of(letter.shard, letter.key, _MOST_ASKED)
    return LetterDetail(
        letter=reported(letter),
        content=decoding.read(letter.body, letter.schema, letter.type),
        body=letter.body,
        schema=letter.schema,
        source=letter.source,
        position=letter.position,
        correlation_id=letter.correlation_id,
        causation_id=letter.causation_id,
        occurred_at=to_datetime(letter.occurred_at),
        published_at=to_datetime(letter.published_at),
        properties=_properties(letter.properties),
        timer=letter.timer,
        attempts=[FailureReport(row.number, to_datetime(row.now), row.error, row.error_text) for row in failures],
        requests=[told(row) for row in reversed(asked)],
        edits=[
            EditReport(
                edit.who, edit.why, to_datetime(edit.edited_at),
                decoding.read(edit.body, edit.schema, letter.type), edit.body,
            )
            for edit in views.edits_of(letter.actor, letter.message_id)
        ],
    )  # fmt: skip


def reported(letter: DeadLetter) -> LetterReport:
    """As a list tells it."""
    return LetterReport(
        to_text(letter.message_id), letter.actor, letter.key, letter.type, letter.error, letter.error_text,
        letter.fingerprint, letter.failures, letter.crashes, letter.replays, to_datetime(letter.dead_at),
        letter.status, letter.shard,
    )  # fmt: skip


def keys_of(letters: Sequence[DeadLetter]) -> int:
    """Of how many keys they are."""
    return len({(letter.actor, letter.key) for letter in letters})
