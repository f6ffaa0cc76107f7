"""Winning a shard (R12): read the epoch, subscribe Exclusive, compare-and-set the epoch read, load.

In between, whether the store went back (R11): then the subscriptions are put back to where it stands.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from magnetar.runtime.bus.port import EARLIEST, BusError, Busy
from magnetar.runtime.errors import BrokenPromise
from magnetar.runtime.instant import Instant, micros
from magnetar.runtime.store.port import CommitUnknown, StoreUnavailable
from magnetar.runtime.wiring import subscription_of
from magnetar.runtime.worker.lane import Lane
from magnetar.runtime.worker.machine import NEVER, Means, Next
from magnetar.runtime.worker.observer import Takeover, Wait
from magnetar.runtime.worker.parking import ParkedKeys
from magnetar.runtime.worker.shard import Feed, Shard, Timetable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from magnetar.runtime.bus.port import Consumer, Opening, Position
    from magnetar.runtime.store.port import ShardName, ShardRow
    from magnetar.runtime.wiring import ActorPlan, Topic
    from magnetar.runtime.worker.intake import Receiving
    from magnetar.runtime.worker.membership import Membership

_log = logging.getLogger("magnetar.ownership")


@dataclass(frozen=True, slots=True)
class Winner:
    """Settings, in seconds but for `lane`: unsettled rows above which a shard stops receiving (R20).

    `retry`: after a failure, or *busy*. `handover`: between two looks at a shard whose owner is about to release it.
    `poll`: between two looks at a subscription on its way. `timers`: those due so soon are kept in memory.
    `grace`: so long after its due time a parked head that has failed is tried again though no bell has rung (R23).
    """

    retry: float = 0.2
    handover: float = 0.05
    poll: float = 0.002
    lane: int = 10_000
    timers: float = 60.0
    grace: float = 1.0


@dataclass(frozen=True, slots=True)
class ShardPlan:
    """What a shard is: a partition of an actor, and the partitions of topics that feed it, the main one first."""

    name: ShardName
    plan: ActorPlan
    partition: int
    feeds: tuple[tuple[Topic, int], ...]


@dataclass(slots=True)
class Claim:
    """A shard that this worker wants and does not own yet. `epoch` is read before anything is subscribed.

    `row` is kept while the feeds that are `behind` are put back, each to what its store knows.
    """

    shard: ShardPlan
    epoch: int | None = None
    why: str = ""
    opening: Opening[Consumer] | None = None
    won: list[Consumer] = field(default_factory=list)
    row: ShardRow | None = None
    behind: dict[int, Position] = field(default_factory=dict)
    not_before: Instant = 0


class Winning:
    """The part of ownership that turns claims into owned shards. One thread."""

    def __init__(self, means: Means, membership: Membership, receiving: Receiving, winner: Winner) -> None:
        """`receiving` makes sources of consumers."""
        self._bus = means.bus
        self._store = means.store
        self._holdings = means.holdings
        self._observer = means.observer
        self._clock = means.clock
        self._membership = membership
        self._receiving = receiving
        self._winner = winner
        self._claims: dict[ShardName, Claim] = {}

    @property
    def claims(self) -> bool:
        """Whether anything is wanted that is not owned."""
        return bool(self._claims)

    def want(self, shard: ShardPlan) -> None:
        """Begin to try for a shard, or go on."""
        self._claims.setdefault(shard.name, Claim(shard))

    def forgo(self, shard: ShardName) -> None:
        """Want it no more, and give back what was subscribed for it."""
        claim = self._claims.pop(shard, None)
        if claim is not None:
            self._give_up(claim)

    def forgo_all(self) -> None:
        """Want nothing more."""
        for shard in list(self._claims):
            self.forgo(shard)

    def go_on(self, now: Instant) -> Next:
        """Go on with every claim whose time has come."""
        fresh = [claim for claim in self._claims.values() if claim.epoch is None and claim.not_before <= now]
        if fresh:
            self._read_epochs(fresh, now)
        return Next.first(NEVER, *[self._pursue(claim, now) for claim in list(self._claims.values())])

    def _read_epochs(self, fresh: list[Claim], now: Instant) -> None:
        """Whose the shards are, in one question; those of a live owner are looked at again until it lets go (R14)."""
        try:
            standings = self._store.standings([claim.shard.name for claim in fresh])
        except StoreUnavailable as error:
            for claim in fresh:
                self._wait(claim, str(error), Wait.STORE, now)
            return
        for claim in fresh:
            standing = standings[claim.shard.name]
            if self._membership.is_free(standing):
                claim.epoch, claim.why = standing.epoch, self._membership.why(standing)
            else:
                claim.not_before = now + micros(self._winner.handover)

    def _pursue(self, claim: Claim, now: Instant) -> Next:
        if claim.epoch is None:
            return Next(claim.not_before)
        try:
            return self._try(claim, claim.epoch, now)
        except (BusError, StoreUnavailable, CommitUnknown) as error:
            level = logging.DEBUG if isinstance(error, Busy) else logging.WARNING
            _log.log(level, "shard %s: %s; trying again", claim.shard.name, error)
            return self._wait(claim, str(error), Wait.of(error), now)

    def _try(self, claim: Claim, epoch: int, now: Instant) -> Next:
        if claim.row is not None:
            return self._go_back(claim, claim.row, now)
        if claim.opening is None:
            topic, partition = claim.shard.feeds[len(claim.won)]
            claim.opening = self._bus.subscribe(topic.name, partition, subscription_of(claim.shard.plan.name))
        consumer = claim.opening.poll()
        if consumer is None:
            return Next(now + micros(self._winner.poll))
        claim.opening = None
        claim.won.append(consumer)
        if len(claim.won) < len(claim.shard.feeds):
            return Next(now)
        claim.row = self._taken(claim, epoch)
        if claim.row is None:
            return self._wait(claim, "somebody was faster to take it", Wait.HOLDER, now)
        return self._go_back(claim, claim.row, now)

    def _taken(self, claim: Claim, epoch: int) -> ShardRow | None:
        """R11: a store that went back begins a new generation: its lane numbers were used once already (R18).

        And it does so before anything is put back: of a subscription that was, nobody could tell any more.
        """
        row = self._store.take(claim.shard.name, epoch, self._holdings.taker._replace(why=claim.why))
        if row is None:
            return None
        claim.behind = self._behind(claim, row)
        if claim.behind or row.shard in self._holdings.went_back:
            row = self._store.take(row.shard, row.epoch, self._holdings.taker._replace(renews=True))
            self._holdings.went_back.discard(claim.shard.name)
        return row

    def _behind(self, claim: Claim, row: ShardRow) -> dict[int, Position]:
        """R11: the feeds of which more was acknowledged than the store knows, and where it stands."""
        found: dict[int, Position] = {}
        for number, consumer in enumerate(claim.won):
            topic, partition = claim.shard.feeds[number]
            applied, acknowledged = row.positions.get(f"{topic.name}/{partition}", EARLIEST), consumer.cursor()
            if acknowledged is not None and acknowledged > applied:
                found[number] = applied
                why = f"{topic.name}/{partition} is acknowledged up to {acknowledged}, and the store knows {applied}"
                _log.error("shard %s: the store went back: %s; handling again what it lacks", row.shard, why)
                self._observer.went_back(row.shard, why)
        return found

    def _go_back(self, claim: Claim, row: ShardRow, now: Instant) -> Next:
        """R11: put back what is behind, and move in."""
        for number, position in list(claim.behind.items()):
            claim.opening = claim.opening or claim.won[number].seek(position)
            consumer = claim.opening.poll()
            if consumer is None:
                return Next(now + micros(self._winner.poll))
            claim.opening, claim.won[number] = None, consumer
            del claim.behind[number]
        self._move_in(claim, row, now)
        return Next(now)

    def _wait(self, claim: Claim, why: str, on: Wait, now: Instant) -> Next:
        """Start over, a little later."""
        self._observer.waiting(claim.shard.name, why, on)
        self._give_up(claim)
        claim.not_before = now + micros(self._winner.retry)
        return Next(claim.not_before)

    def _move_in(self, claim: Claim, row: ShardRow, now: Instant) -> None:
        """Load what the store says of the shard: memory of an earlier tenure is never trusted."""
        self._observer.taken_over(row.shard, Takeover.of(row.epoch, clean=row.clean))
        lane = self._lane(row)
        self.ask_the_time()
        horizon = now + self._holdings.clock_offset + micros(self._winner.timers)
        table = Timetable(horizon)
        table.look(self._store.timers(row.shard, horizon), horizon)
        retry = claim.shard.plan.policy.retry
        parking = ParkedKeys(retry.bound, micros(self._winner.grace))
        parking.load(self._store.parked_keys(row.shard))
        shard = Shard(
            name=row.shard,
            plan=claim.shard.plan,
            partition=claim.shard.partition,
            epoch=row.epoch,
            commits=row.commits,
            lane_number=row.lane,
            generation=row.generation,
            floor=row.floor,
            feeds=self._feeds(claim, row),
            lane=lane,
            timetable=table,
            parking=parking,
            wake=self._receiving.wake,
            since=now + self._holdings.clock_offset,
        )
        del self._claims[row.shard]
        self._holdings.add(shard)

    def _feeds(self, claim: Claim, row: ShardRow) -> list[Feed]:
        return [
            Feed(topic, partition, self._receiving.sourced(consumer), row.positions.get(f"{topic.name}/{partition}"))
            for (topic, partition), consumer in zip(claim.shard.feeds, claim.won, strict=True)
        ]

    def ask_the_time(self) -> None:
        """R5: how far the store's clock is ahead of the one that steps are timed by, asked before and after."""
        asked = micros(self._clock())
        told = self._store.now()
        self._holdings.learn_clock(told - micros(self._clock()), told - asked)

    def _lane(self, row: ShardRow) -> Lane:
        bound = self._winner.lane
        found = self._store.outbox(row.shard, 0, bound)
        rows = [each for each in found if each.number <= row.lane]  # a later owner's are not for a zombie
        settled = rows[0].number - 1 if rows else row.lane
        lane = Lane(settled, settled, bound, partial=len(rows) == bound, deleted=settled)
        lane.extend(rows)
        if not lane.partial and lane.loaded != row.lane:
            message = f"shard {row.shard}: the lane counter is {row.lane}, but its outbox ends at {lane.loaded}"
            raise BrokenPromise(message)
        return lane

    def _give_up(self, claim: Claim) -> None:
        if claim.opening is not None:
            claim.opening.abandon()
            claim.opening = None
        for consumer in reversed(claim.won):
            consumer.close()
        claim.won.clear()
        claim.behind.clear()
        claim.epoch = claim.row = None


def shard_plans(plans: Mapping[str, ActorPlan], partitions: Mapping[str, int]) -> dict[ShardName, ShardPlan]:
    """Every shard of the app. A feed's partition belongs to the shard of the same number, modulo the actor's count."""
    found: list[ShardPlan] = []
    for plan in plans.values():
        count = plan.policy.partitions
        for shard in range(count):
            feeds = tuple(
                (topic, partition)
                for topic in plan.sources
                for partition in range(shard, partitions[topic.name], count)
            )
            found.append(ShardPlan(f"{plan.name}/{shard}", plan, shard, feeds))
    return {each.name: each for each in found}
