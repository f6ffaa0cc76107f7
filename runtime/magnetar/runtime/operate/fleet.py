"""The shards and the workers as they are now: who has what, since when and why, what waits, and who is alive (R14).

All ages are within one look, by the store's clock.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from magnetar.runtime.instant import seconds, to_datetime
from magnetar.runtime.store.views import Load
from magnetar.runtime.worker.breaker import read
from magnetar.runtime.worker.membership import Liveness

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.port import ShardName, ShardRow
    from magnetar.runtime.store.roster import Member
    from magnetar.runtime.store.views import Views


class Lag(NamedTuple):
    """What a shard has not applied: how many messages, and when the oldest was published (None: there is none)."""

    messages: int
    oldest: Instant | None


class ShardReport(msgspec.Struct, frozen=True):
    """A shard as it is now.

    `owner` is '' while nobody has it; `owner_alive`: its owner was heard of lately. `epoch` counts how often the owner
    changed, `since` is when it last did (`changed`: seconds ago), and `why` what the new one said of that. `clean`: the
    last release was in order (while it is owned: false). `careful`: an owner was lost, and its messages go few at a
    time, or one by one, until what it may have been lost of is behind. `lag` messages, the oldest published `oldest`
    seconds ago, are what the broker has for it and it has not acknowledged; None where the broker was not asked, or
    there is none. `unsent` messages wait for their receipts, `timers` are armed, and `parked` ones wait behind a
    failure of their key; `effects` are asked of the outside, and have no outcome yet.
    """

    shard: str
    owner: str
    owner_alive: bool
    epoch: int
    since: datetime | None
    changed: float | None
    why: str
    clean: bool
    commits: int
    lag: int | None
    oldest: float | None
    unsent: int
    timers: int
    parked: int
    careful: bool = False
    effects: int = 0


class WorkerReport(msgspec.Struct, frozen=True):
    """A worker as the store saw it last. `seen` and `heard` (a broker's answer) are seconds ago.

    `alive`: both lately. `up` is how long it has been there in seconds, `progress` how many groups it has committed,
    `code` its version, `contracts` the generation of its contracts. `left_alone`: dependencies that it does not call
    now, for their breakers are open. A worker that is gone is kept for an hour.
    """

    worker: str
    alive: bool
    leaving: bool
    seen: float
    heard: float
    up: float
    shards: list[str]
    actors: list[str]
    progress: int
    code: str
    contracts: int
    left_alone: list[str] = []


def is_alive(member: Member, now: Instant) -> bool:
    """Whether store and broker have both heard of the worker lately, as other workers judge it."""
    return Liveness().is_live(member, now)


def shards(views: Views, actor: str | None, lags: Mapping[ShardName, Lag] | None) -> list[ShardReport]:
    """The shards of all actors, or of one, in their order. `lags` by shard; None: nobody asked.

    Raises `StoreUnavailable`.
    """
    now, loads = views.now(), views.loads()
    alive = {member.worker for member in views.members() if is_alive(member, now)}
    rows = sorted(_of(views.shards(), actor), key=lambda row: _place(row.shard))
    return [_shard(row, now, alive, loads.get(row.shard, Load(0, 0, 0)), lags) for row in rows]


def workers(views: Views, actor: str | None) -> list[WorkerReport]:
    """The workers that serve the actor, or all, by name. Raises `StoreUnavailable`."""
    now = views.now()
    held: dict[str, list[str]] = {}
    for row in sorted(views.shards(), key=lambda row: _place(row.shard)):
        held.setdefault(row.owner, []).append(row.shard)
    members = [member for member in views.members() if actor is None or member.serves(actor)]
    return [_worker(member, now, held.get(member.worker, [])) for member in sorted(members)]


def _of(rows: Iterable[ShardRow], actor: str | None) -> list[ShardRow]:
    return [row for row in rows if actor is None or row.shard.rpartition("/")[0] == actor]


def _place(shard: ShardName) -> tuple[str, int]:
    """By number, not by letter: 2 before 10."""
    actor, _, number = shard.rpartition("/")
    return actor, int(number)


def _shard(
    row: ShardRow, now: Instant, alive: Collection[str], load: Load, lags: Mapping[ShardName, Lag] | None
) -> ShardReport:
    lag = None if lags is None else lags.get(row.shard, Lag(0, None))
    oldest = None if lag is None or lag.oldest is None else max(0.0, seconds(now - lag.oldest))
    return ShardReport(
        shard=row.shard,
        owner=row.owner,
        owner_alive=row.owner in alive,
        epoch=row.epoch,
        since=to_datetime(row.since) if row.since else None,
        changed=seconds(now - row.since) if row.since else None,
        why=row.why,
        clean=row.clean,
        careful=row.careful > 0,
        commits=row.commits,
        lag=None if lag is None else lag.messages,
        oldest=oldest,
        unsent=load.unsent,
        timers=load.timers,
        parked=load.parked,
        effects=load.effects,
    )


def _worker(member: Member, now: Instant, held: list[str]) -> WorkerReport:
    return WorkerReport(
        worker=member.worker,
        alive=is_alive(member, now),
        leaving=member.leaving,
        seen=seconds(now - member.seen),
        heard=seconds(now - member.heard),
        up=seconds(now - member.since),
        shards=held,
        actors=[actor for actor in member.actors.split(",") if actor],
        progress=member.progress,
        code=member.code,
        contracts=member.contracts,
        left_alone=sorted(read(member.left_alone)),
    )
