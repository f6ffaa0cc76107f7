"""Rows of what operators ask for, and the little that their tools write (R27): part of the store port.

A tool only ever inserts a request. The owner of its shard executes it, in a fenced commit that holds the answer too:
so a request is executed once, whoever crashes when.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.port import ShardName


class What(StrEnum):
    """What can be asked of a shard's owner: of a key, of its shard, or of a dead letter."""

    PAUSE = "pause"
    RESUME = "resume"
    RETRY = "retry"
    SKIP = "skip"
    PAUSE_ALL = "pause all"  # messages of one type, or whatever comes
    RESUME_ALL = "resume all"
    DISCARD = "discard"
    REPLAY = "replay"
    EDIT = "edit"


class RequestStatus(StrEnum):
    """What became of a request; the answer says more.

    It is *refused* where things are not as its asker believed: nothing was done. It has *failed* where a message was
    tried again and has failed again.
    """

    ASKED = "asked"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


class Request(NamedTuple):
    """What somebody wants done in a shard. Ids are UUIDv7: a shard's requests are executed in their order.

    `key` is '' where it concerns no single one. `arguments` is a JSON object of strings. `asked_at` is by the store's
    clock. `answered_at` and `epoch` (under which it was executed) are None while it waits.
    """

    id: bytes
    shard: ShardName
    what: str
    key: str
    arguments: str
    who: str
    why: str
    asked_at: Instant
    status: str
    answer: str
    answered_at: Instant | None
    epoch: int | None


class Answer(NamedTuple):
    """What became of a request, in the commit that did it."""

    id: bytes
    shard: ShardName
    status: str
    answer: str
    answered_at: Instant
    epoch: int


class Pause(NamedTuple):
    """Messages of this type are not applied in the shard until a person resumes them; '': none is, of any type."""

    shard: ShardName
    type: str
    who: str
    why: str
    since: Instant


class LetterMove(NamedTuple):
    """A dead letter that is one no more: `status` is what it is from now on, `replays` how often it was replayed."""

    actor: str
    message_id: bytes
    status: str
    replays: int


class Edit(NamedTuple):
    """What a dead letter said before a person edited it: original bytes, and the fingerprint of their schema."""

    request: bytes
    actor: str
    message_id: bytes
    shard: ShardName
    body: bytes
    schema: str
    who: str
    why: str
    edited_at: Instant


class Rewritten(NamedTuple):
    """What a dead letter says from now on."""

    actor: str
    message_id: bytes
    body: bytes
    schema: str


@dataclass(slots=True)
class Answering:
    """What one group's requests change in one shard, besides messages and keys. A breach of *must*: `VersionConflict`.

    It is written before the group's parking, so that a letter which is replayed may die again in the same commit.
    """

    answers: list[Answer] = field(default_factory=list)  # their requests must be there, and wait
    letters: list[LetterMove] = field(default_factory=list)  # must be there as *dead*
    edits: list[Edit] = field(default_factory=list)  # must be new
    rewritten: list[Rewritten] = field(default_factory=list)  # must be there as *dead*
    resumed: list[tuple[ShardName, str]] = field(default_factory=list)  # pauses that go; must be there
    paused: list[Pause] = field(default_factory=list)  # must be new
