"""Keys that wait, and what is paused: found in a store, whoever owns them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from magnetar.runtime.instant import to_datetime
from magnetar.runtime.store.parking import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from magnetar.runtime.store.parking import ParkedKey
    from magnetar.runtime.store.requests import Pause
    from magnetar.runtime.store.views import Views

MOST_KEYS = 100_000
"""So many parked keys are read at most when all of an actor are asked about."""


class WaitingKey(msgspec.Struct, frozen=True):
    """A parked key: why, since when, what for. `due` None: it waits for a person. `waiting`: so many messages."""

    actor: str
    key: str
    shard: str
    reason: str
    since: datetime
    due: datetime | None
    failures: int
    error: str
    error_text: str
    waiting: int
    held_by: str


class PauseReport(msgspec.Struct, frozen=True):
    """What a person has paused of a whole actor: a type of message, or '' for all; in so many `shards`."""

    actor: str
    type: str
    who: str
    why: str
    since: datetime
    shards: list[str]


def keys(views: Views, actor: str | None, reason: str | None, limit: int) -> list[WaitingKey]:
    """Parked keys, those parked for longest first."""
    return [_told(key) for key in views.keys_parked(actor, reason, limit)]


def pauses(views: Views, actor: str | None) -> list[PauseReport]:
    """What is paused of whole actors: shards in which one and the same person has done it for one reason are one."""
    found: dict[tuple[str, str, str, str], list[Pause]] = {}
    for pause in views.pauses():
        owner = pause.shard.rpartition("/")[0]
        if actor in {None, owner}:
            found.setdefault((owner, pause.type, pause.who, pause.why), []).append(pause)
    return [
        PauseReport(*what, to_datetime(min(each.since for each in same)), [each.shard for each in same])
        for what, same in found.items()
    ]


def waiting_for_retry(views: Views, actor: str, type_: str | None, error: str | None) -> Iterator[ParkedKey]:
    """Keys of the actor whose head is tried again by itself, and that are of this type, and fail with this error."""
    for key in views.keys_parked(actor, None, MOST_KEYS):
        if key.reason not in {Reason.RETRY, Reason.UNREAD} or key.due is None:
            continue
        if error is not None and error not in {key.error, key.error.rpartition(".")[2]}:
            continue
        if type_ is not None:
            head = views.parked_of(key.actor, key.key, 1)
            if not head or type_ not in {head[0].type, head[0].type.rpartition(".")[2]}:
                continue
        yield key


def _told(key: ParkedKey) -> WaitingKey:
    due = None if key.due is None else to_datetime(key.due)
    return WaitingKey(
        key.actor, key.key, key.shard, key.reason, to_datetime(key.since), due, key.failures, key.error,
        key.error_text, key.last - key.first + 1, key.held_by,
    )  # fmt: skip
