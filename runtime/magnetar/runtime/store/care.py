"""Rows of what a worker has in hand, and of what took one with it (R24, R25): part of the store port.

A message is *in hand* when its shard's owner is about to open it alone. The row says so before it is decoded, and goes
in the commit that makes an end of it. Whoever takes the shard and finds it knows what the last owner died of.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.port import ShardName


class Caution(IntEnum):
    """What a shard's owner must do, since owners before it were lost (R25): one step up for each, one down at a time.

    `FEW`: of the shard so few go together that they could go alone, should its owner be lost once more. `ALONE`: so it
    was, and one of those few may have ended it.
    """

    NONE = 0
    FEW = 1
    ALONE = 2


class Hand(NamedTuple):
    """A message in hand, or one that was charged with a crash and has not come again yet.

    `holder` names the life of the process that has it in hand: another one for each start, unlike `owner`. It is ''
    for a message that waits for what its crash brings. `crashes`: how often it has taken a worker with it, as far as
    the owner knew when it took it. `key` is what the broker knows, '' for nothing; `source` as in `JournalRow`.
    """

    shard: ShardName
    message_id: bytes
    key: str
    source: str
    holder: str
    owner: str
    crashes: int
    since: Instant


class CrashRow(NamedTuple):
    """A worker that ended with this message in hand: a line in the ledger of crashes (R24). `number` counts from 1.

    `owner` is the worker that ended, `code` the version of the one that found it out, at `now`.
    """

    actor: str
    message_id: bytes
    number: int
    shard: ShardName
    key: str
    source: str
    owner: str
    code: str
    now: Instant


@dataclass(slots=True)
class Care:
    """What a commit takes in hand, lays aside and charges in one shard. `eased`: its caution is one step less."""

    held: list[Hand] = field(default_factory=list)  # in place of what there is of that message
    done: list[bytes] = field(default_factory=list)  # ids whose `Hand` goes, if it is there; before `held`
    crashes: list[CrashRow] = field(default_factory=list)  # must be new
    eased: bool = False
