"""Ownership: the broker decides who has a shard, the store fences what it may do (R12, R13, R15).

One worker takes every shard of its app; sharing them out is a matter of what it *wants*, and changes nothing here.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from magnetar.runtime.bus.port import BusError, Busy
from magnetar.runtime.errors import BrokenPromise
from magnetar.runtime.instant import Instant, micros
from magnetar.runtime.store.port import CommitUnknown, StoreUnavailable
from magnetar.runtime.wiring import subscription_of
from magnetar.runtime.worker.lane import Lane
from magnetar.runtime.worker.machine import NEVER, Means, Next
from magnetar.runtime.worker.observer import Loss, Takeover, Wait
from magnetar.runtime.worker.shard import Feed, Shard, Timetable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from magnetar.runtime.bus.port import Consumer, Opening
    from magnetar.runtime.store.port import ShardName, ShardRow
    from magnetar.runtime.wiring import ActorPlan, Topic
    from magnetar.runtime.worker.intake import Receiving
    from magnetar.runtime.worker.relay import Relay

_log = logging.getLogger("magnetar.ownership")


@dataclass(frozen=True, slots=True)
class Tenure:
    """Settings, in seconds but for the bounds. `lane`: unsettled rows above which a shard stops receiving (R20)."""

    retry: float = 0.2
    poll: float = 0.002
    check: float = 1.0
    storeless: float = 5.0
    disconnected: float = 5.0
    drain: float = 2.0
    lane: int = 10_000
    timers: float = 60.0


@dataclass(slots=True)
class Claim:
    """A shard that this worker wants and does not own yet.

    Partitions are subscribed one after another, the main one first.
    """

    name: ShardName
    plan: ActorPlan
    partition: int
    wanted: list[tuple[Topic, int]]
    epoch: int = 0
    opening: Opening[Consumer] | None = None
    won: list[tuple[Topic, int, Consumer]] = field(default_factory=list)
    not_before: Instant = 0


@dataclass(slots=True)
class Farewell:
    """A shard on its way out, in order (R15). Its lane may drain `until` then, from when its last group is done."""

    shard: Shard
    until: Instant | None = None


class Ownership:
    """The machine that wins, keeps, and gives back shards. Steps are called by the loop's thread only."""

    def __init__(self, means: Means, relay: Relay, receiving: Receiving, claims: list[Claim], tenure: Tenure) -> None:
        """`claims` are the shards wanted; `receiving` makes sources of their consumers."""
        self._bus = means.bus
        self._store = means.store
        self._holdings = means.holdings
        self._relay = relay
        self._observer = means.observer
        self._points = means.points
        self._clock = means.clock
        self._receiving = receiving
        self._tenure = tenure
        self._claims = {claim.name: claim for claim in claims}
        self._plans = {claim.name: (claim.plan, claim.partition, tuple(claim.wanted)) for claim in claims}
        self._farewells: list[Farewell] = []
        self._leaving = False
        self._check_at: Instant = 0
        self._store_seen: Instant | None = None
        self._cut_since: dict[ShardName, Instant] = {}
        self._observer.assigned(list(self._claims))

    def step(self, now: Instant) -> Next:
        """Check what is owned, bury what is lost, go on with what is wanted or being released."""
        self._points.reach("phase:ownership")
        self._bury(now)
        choices = [self._watch(now)]
        if self._leaving:
            choices.append(self._release(now))
        else:
            choices.extend(self._pursue(claim, now) for claim in list(self._claims.values()))
        return Next.first(*choices)

    def leave(self) -> None:
        """Begin to release everything, in order (R15): stop receiving, commit, acknowledge, drain the lane."""
        if self._leaving:
            return
        self._leaving = True
        for claim in self._claims.values():
            self._give_up(claim)
        self._claims.clear()
        for shard in self._holdings.shards():
            shard.stopping = True
            self._farewells.append(Farewell(shard))

    @property
    def gone(self) -> bool:
        """Whether a worker that leaves has nothing left."""
        return self._leaving and not self._farewells and not self._holdings.lost

    @property
    def settled(self) -> bool:
        """Whether everything wanted is owned."""
        return not self._claims

    # winning

    def _pursue(self, claim: Claim, now: Instant) -> Next:
        if now < claim.not_before:
            return Next(claim.not_before)
        try:
            return self._try(claim, now)
        except (BusError, StoreUnavailable, CommitUnknown) as error:
            level = logging.DEBUG if isinstance(error, Busy) else logging.WARNING
            _log.log(level, "shard %s: %s; trying again", claim.name, error)
            self._observer.waiting(claim.name, str(error), Wait.of(error))
            self._give_up(claim)
            claim.not_before = now + micros(self._tenure.retry)
            return Next(claim.not_before)

    def _try(self, claim: Claim, now: Instant) -> Next:
        """R12: read the epoch, subscribe, compare-and-set the epoch read, load."""
        if claim.opening is None:
            if not claim.won:
                claim.epoch = self._store.epochs([claim.name])[claim.name]
            topic, partition = claim.wanted[len(claim.won)]
            claim.opening = self._bus.subscribe(topic.name, partition, subscription_of(claim.plan.name))
        consumer = claim.opening.poll()
        if consumer is None:
            return Next(now + micros(self._tenure.poll))
        claim.opening = None
        topic, partition = claim.wanted[len(claim.won)]
        claim.won.append((topic, partition, consumer))
        if len(claim.won) < len(claim.wanted):
            return Next(now)
        row = self._store.take(claim.name, claim.epoch, self._holdings.owner)
        if row is None:
            self._give_up(claim)
            claim.not_before = now + micros(self._tenure.retry)
            return Next(claim.not_before)
        self._move_in(claim, row, now)
        return Next(now)

    def _move_in(self, claim: Claim, row: ShardRow, now: Instant) -> None:
        """Load what the store says of the shard: memory of an earlier tenure is never trusted."""
        self._observer.taken_over(claim.name, Takeover.of(row.epoch, clean=row.clean))
        lane = self._lane(row)
        self._ask_the_time()
        horizon = now + self._holdings.clock_offset + micros(self._tenure.timers)
        table = Timetable(horizon)
        table.look(self._store.timers(claim.name, horizon), horizon)
        feeds = [
            Feed(topic, partition, self._receiving.sourced(consumer), row.positions.get(f"{topic.name}/{partition}"))
            for topic, partition, consumer in claim.won
        ]
        shard = Shard(
            name=claim.name,
            plan=claim.plan,
            partition=claim.partition,
            epoch=row.epoch,
            commits=row.commits,
            lane_number=row.lane,
            floor=row.floor,
            feeds=feeds,
            lane=lane,
            timetable=table,
            wake=self._receiving.wake,
            since=now + self._holdings.clock_offset,
        )
        del self._claims[claim.name]
        self._store_seen = now
        self._holdings.add(shard)

    def _ask_the_time(self) -> None:
        """R5: how far the store's clock is ahead of the one that steps are timed by, asked before and after."""
        asked = micros(self._clock())
        told = self._store.now()
        self._holdings.learn_clock(told - micros(self._clock()), told - asked)

    def _lane(self, row: ShardRow) -> Lane:
        found = self._store.outbox(row.shard, 0, self._tenure.lane)
        rows = [each for each in found if each.number <= row.lane]  # a later owner's are not for a zombie
        settled = rows[0].number - 1 if rows else row.lane
        lane = Lane(settled, settled, self._tenure.lane, partial=len(rows) == self._tenure.lane, deleted=settled)
        lane.extend(rows)
        if not lane.partial and lane.loaded != row.lane:
            message = f"shard {row.shard}: the lane counter is {row.lane}, but its outbox ends at {lane.loaded}"
            raise BrokenPromise(message)
        return lane

    def _give_up(self, claim: Claim) -> None:
        if claim.opening is not None:
            claim.opening.abandon()
            claim.opening = None
        for _, _, consumer in reversed(claim.won):
            consumer.close()
        claim.won.clear()

    # keeping

    def _watch(self, now: Instant) -> Next:
        """R13, R32: once a second, whether epochs are still ours, the store is there, and consumers are alive."""
        owned = self._holdings.shards()
        if not owned:
            return NEVER
        if now < self._check_at:
            return Next(self._check_at)
        self._check_at = now + micros(self._tenure.check)
        try:
            epochs = self._store.epochs([shard.name for shard in owned])
            self._ask_the_time()
        except StoreUnavailable as error:
            self._without_store(owned, str(error), now)
            return Next(self._check_at)
        self._store_seen = now
        self._observer.reached(Wait.STORE)
        for shard in owned:
            if epochs.get(shard.name) != shard.epoch:
                why = f"its epoch is {epochs.get(shard.name)}, not {shard.epoch}: another worker has taken it"
                self._holdings.lose(shard, why, Loss.TAKEN)
            else:
                self._watch_connection(shard, now)
        return Next(self._check_at)

    def _without_store(self, owned: list[Shard], why: str, now: Instant) -> None:
        for shard in owned:
            self._observer.waiting(shard.name, why, Wait.STORE)
        if self._store_seen is not None and now - self._store_seen >= micros(self._tenure.storeless):
            for shard in owned:
                self._holdings.lose(shard, f"no store for {self._tenure.storeless} s: {why}", Loss.STORE)

    def _watch_connection(self, shard: Shard, now: Instant) -> None:
        """R32: a consumer that stays cut off is made anew, by giving the shard up and taking it again."""
        if all(feed.source.connected() for feed in shard.feeds):
            self._cut_since.pop(shard.name, None)
            self._observer.reached(Wait.BROKER)
            return
        self._observer.waiting(shard.name, "its consumer has no connection", Wait.BROKER)
        since = self._cut_since.setdefault(shard.name, now)
        if now - since >= micros(self._tenure.disconnected):
            del self._cut_since[shard.name]
            why = f"its consumer has had no connection for {self._tenure.disconnected} s"
            self._holdings.lose(shard, why, Loss.BROKER)

    # letting go

    def _bury(self, now: Instant) -> None:
        """Close what a lost shard still has open: producers, then feeds, the main one last. Then want it again."""
        for shard in self._holdings.lost:
            self._close(shard)
            self._farewells = [farewell for farewell in self._farewells if farewell.shard is not shard]
            if not self._leaving:
                plan, partition, wanted = self._plans[shard.name]
                claim = Claim(shard.name, plan, partition, list(wanted), not_before=now + micros(self._tenure.retry))
                self._claims[shard.name] = claim
        self._holdings.lost.clear()

    def _release(self, now: Instant) -> Next:
        for farewell in list(self._farewells):
            shard = farewell.shard
            if shard.in_turn or not self._may_go(farewell, now):
                continue
            try:
                self._store.release(shard.name, shard.epoch)
            except (StoreUnavailable, CommitUnknown) as error:
                _log.warning("shard %s: not marked clean: %s", shard.name, error)
            self._holdings.lose(shard, "released", Loss.RELEASED)
            self._holdings.lost.remove(shard)
            self._close(shard)
            self._farewells.remove(farewell)
        return Next(now + micros(self._tenure.poll)) if self._farewells else NEVER

    def _may_go(self, farewell: Farewell, now: Instant) -> bool:
        """Whether the lane is drained and its rows are gone, or it had its time: unsent rows stay rows."""
        if farewell.until is None:
            farewell.until = now + micros(self._tenure.drain)
        lane = farewell.shard.lane
        return (self._relay.drained(farewell.shard) and lane.deletable is None) or now >= farewell.until

    def _close(self, shard: Shard) -> None:
        self._relay.close(shard)
        for feed in reversed(shard.feeds):
            feed.source.close()


def all_claims(plans: Mapping[str, ActorPlan], partitions: Mapping[str, int]) -> list[Claim]:
    """Every shard of the app. A feed's partition belongs to the shard of the same number, modulo the actor's count."""
    claims: list[Claim] = []
    for plan in plans.values():
        count = plan.policy.partitions
        for shard in range(count):
            wanted = [
                (topic, partition)
                for topic in plan.sources
                for partition in range(shard, partitions[topic.name], count)
            ]
            claims.append(Claim(f"{plan.name}/{shard}", plan, shard, wanted))
    return claims
