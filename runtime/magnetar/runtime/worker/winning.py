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
from magnetar.runtime.store.care import Caution
from magnetar.runtime.store.port import CommitUnknown, StoreUnavailable
from magnetar.runtime.wiring import subscription_of
from magnetar.runtime.worker.batch import Limits
from magnetar.runtime.worker.custody import Custody
from magnetar.runtime.worker.errands import Errands
from magnetar.runtime.worker.lane import Lane
from magnetar.runtime.worker.machine import NEVER, Means, Next
from magnetar.runtime.worker.observer import Takeover, Wait
from magnetar.runtime.worker.parking import ParkedKeys
from magnetar.runtime.worker.proving import is_next, is_none_after
from magnetar.runtime.worker.shard import Feed, Shard, Timetable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from magnetar.runtime.bus.port import Consumer, Delivery, Opening, Position
    from magnetar.runtime.store.port import ShardName, ShardRow
    from magnetar.runtime.store.roster import Standing
    from magnetar.runtime.wiring import ActorPlan, Topic
    from magnetar.runtime.worker.intake import Receiving
    from magnetar.runtime.worker.membership import Membership

_log = logging.getLogger("magnetar.ownership")


@dataclass(frozen=True, slots=True)
class Winner:
    """Settings, in seconds but for `lane`: unsettled rows above which a shard stops receiving (R20).

    `retry`: after a failure, or *busy*. `handover`: between two looks at a shard whose owner is about to release it.
    `poll`: between two looks at what is on its way. `proof`: after so long a shard says that it waits for the broker's
    word of how far it is acknowledged. `timers`: those due so soon are kept in memory.
    `grace`: so long after its due time a parked head that has failed is tried again though no bell has rung (R23).
    `limits`: what a group holds at most, and so how much of an unclean shard goes with care (R25).
    """

    retry: float = 0.2
    handover: float = 0.05
    poll: float = 0.005
    proof: float = 1.0
    lane: int = 10_000
    timers: float = 60.0
    grace: float = 1.0
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class ShardPlan:
    """What a shard is: a partition of an actor, and the partitions of topics that feed it, the main one first."""

    name: ShardName
    plan: ActorPlan
    partition: int
    feeds: tuple[tuple[Topic, int], ...]


@dataclass(slots=True)
class Claim:
    """A shard that this worker wants and does not own yet. `standing` is read before anything is subscribed.

    By the number of their feed, `won` are the consumers, `openings` those on their way or being put back, and `first`
    the first deliveries, not handled yet.

    `awaited`: another worker had it when it was looked at before.

    `row` is kept while it is found out of the feeds that are `unproven` whether the store went back, and while those
    that are `behind` are put back, each to what its store knows.
    """

    shard: ShardPlan
    standing: Standing | None = None
    awaited: bool = False
    openings: dict[int, Opening[Consumer]] = field(default_factory=dict)
    won: dict[int, Consumer] = field(default_factory=dict)
    row: ShardRow | None = None
    unproven: set[int] = field(default_factory=set)
    proven: bool = False
    told_at: Instant = 0
    first: dict[int, Delivery] = field(default_factory=dict)
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
            row = claim.row
            self._give_up(claim)
            if row is not None and row.clean:
                self._hand_back(row)

    def _hand_back(self, row: ShardRow) -> None:
        """It was taken and not moved into: nothing was done with it, so it is as clean as it was (R15)."""
        try:
            self._store.release(row.shard, row.epoch, self._holdings.life)
        except (StoreUnavailable, CommitUnknown) as error:
            _log.warning("shard %s: not marked clean: %s", row.shard, error)

    def forgo_all(self) -> None:
        """Want nothing more."""
        for shard in list(self._claims):
            self.forgo(shard)

    def go_on(self, now: Instant) -> Next:
        """Go on with every claim whose time has come."""
        if not self._claims:
            return NEVER
        fresh = [claim for claim in self._claims.values() if claim.standing is None and claim.not_before <= now]
        if fresh:
            self._read_standings(fresh, now)
        return Next.first(NEVER, *[self._pursue(claim, now) for claim in list(self._claims.values())])

    def _read_standings(self, fresh: list[Claim], now: Instant) -> None:
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
                claim.standing = standing
            else:
                claim.awaited = True
                claim.not_before = now + micros(self._winner.handover)

    def _pursue(self, claim: Claim, now: Instant) -> Next:
        if claim.standing is None:
            return Next(claim.not_before)
        try:
            return self._try(claim, claim.standing, now)
        except (BusError, StoreUnavailable, CommitUnknown) as error:
            level = logging.DEBUG if isinstance(error, Busy) else logging.WARNING
            _log.log(level, "shard %s: %s; trying again", claim.shard.name, error)
            return self._wait(claim, str(error), Wait.of(error), now)

    def _try(self, claim: Claim, standing: Standing, now: Instant) -> Next:
        if claim.row is not None:
            step = self._go_back if claim.proven else self._prove
            return step(claim, claim.row, now)
        if not self._membership.is_free(standing):  # R14: who was frozen had not heard of its owner when it was read
            return self._wait(claim, f"{standing.owner} has it, and lives", Wait.HOLDER, now)
        if not self._all_won(claim, handed_on=claim.awaited and not standing.owner):
            return Next(now if claim.won and not claim.openings else now + micros(self._winner.poll))
        return self._take(claim, standing, now)

    def _all_won(self, claim: Claim, *, handed_on: bool) -> bool:
        """Go on with subscribing (R12): the main feed first, which decides who is in, then all others at a time.

        What is handed on is awaited by one worker, so there is nothing to decide: all of it at a time (ADR 26). What a
        partition holds is asked as soon as it is won, so that it is known when the shard is to be proven (R11).
        """
        feeds = claim.shard.feeds
        for number in range(len(feeds) if claim.won or handed_on else 1):
            if number not in claim.won and number not in claim.openings:
                topic, partition = feeds[number]
                subscription = subscription_of(claim.shard.plan.name)
                claim.openings[number] = self._bus.subscribe(topic.name, partition, subscription)
        for number, opening in list(claim.openings.items()):
            consumer = opening.poll()
            if consumer is not None:
                claim.won[number] = consumer
                del claim.openings[number]
                consumer.newest()
        return len(claim.won) == len(feeds)

    def _take(self, claim: Claim, standing: Standing, now: Instant) -> Next:
        epoch, why = standing.epoch, self._membership.why(standing)
        keeps = self._holdings.had.get(claim.shard.name) == epoch  # nobody had it since, and this process lives
        row = self._store.take(claim.shard.name, epoch, self._holdings.taker._replace(why=why, keeps=keeps))
        if row is None:
            return self._wait(claim, "somebody was faster to take it", Wait.HOLDER, now)
        claim.row = row
        self._holdings.had[row.shard] = row.epoch
        claim.unproven = set(claim.won)
        claim.told_at = now + micros(self._winner.proof)
        return self._prove(claim, row, now)

    def _prove(self, claim: Claim, row: ShardRow, now: Instant) -> Next:
        """R11: nothing of the shard is handled, sent or acknowledged before it is known whether its store went back.

        What is acknowledged behind a stored position is all that tells; a commit would move the position past it.
        """
        for number in list(claim.unproven):
            if self._is_proven(claim, row, number):
                claim.unproven.remove(number)
        if not claim.unproven:
            return self._renew(claim, row, now)
        if now < claim.told_at:
            return Next(now + micros(self._winner.poll))
        unknown = ", ".join(f"{topic.name}/{at}" for topic, at in map(claim.shard.feeds.__getitem__, claim.unproven))
        why = f"how far {unknown} is acknowledged is not known, so whether the store is an older copy is not either"
        self._observer.waiting(row.shard, why, Wait.BROKER)
        return Next(now + micros(self._winner.retry))

    def _is_proven(self, claim: Claim, row: ShardRow, number: int) -> bool:
        """Whether it is known how a feed stands to the store.

        By the first that it delivers, which costs nothing, and is there at once where something waits; by the last
        message that there is, where nothing does; and by the REST API's word where neither tells.
        """
        topic, partition = claim.shard.feeds[number]
        consumer, applied = claim.won[number], row.positions.get(f"{topic.name}/{partition}", EARLIEST)
        first = claim.first.get(number)
        if first is None:
            for delivery in consumer.receive(1, 0.0):
                claim.first[number] = first = delivery
        if first is not None and is_next(first.position, applied):
            return True
        newest = consumer.newest()
        if newest is not None and is_none_after(applied, newest):
            return True
        acknowledged = consumer.cursor()
        if acknowledged is None:
            return False
        if acknowledged > applied:
            self._behind(claim, row, number, acknowledged)
        return True

    def _behind(self, claim: Claim, row: ShardRow, number: int, acknowledged: Position) -> None:
        """R11: the store went back. An alarm; what it lacks comes again."""
        topic, partition = claim.shard.feeds[number]
        applied = claim.behind[number] = row.positions.get(f"{topic.name}/{partition}", EARLIEST)
        why = f"{topic.name}/{partition} is acknowledged up to {acknowledged}, and the store knows {applied}"
        _log.error("shard %s: the store went back: %s; handling again what it lacks", row.shard, why)
        self._observer.went_back(row.shard, why)

    def _renew(self, claim: Claim, row: ShardRow, now: Instant) -> Next:
        """R11: a store that went back begins a new generation: its lane numbers were used once already (R18).

        And it does so before anything is put back: of a subscription that was, nobody could tell any more.
        """
        claim.proven = True
        if claim.behind or row.shard in self._holdings.went_back:
            found = self._store.take(row.shard, row.epoch, self._holdings.taker._replace(renews=True, keeps=True))
            if found is None:
                return self._wait(claim, "somebody was faster to take it", Wait.HOLDER, now)
            claim.row = row = found
            self._holdings.had[row.shard] = row.epoch
            self._holdings.went_back.discard(row.shard)
        return self._go_back(claim, row, now)

    def _go_back(self, claim: Claim, row: ShardRow, now: Instant) -> Next:
        """R11: put back what is behind, and move in."""
        for number, position in list(claim.behind.items()):
            seek = claim.openings.get(number)
            if seek is None:
                seek = claim.openings[number] = claim.won[number].seek(position)
            consumer = seek.poll()
            if consumer is None:
                return Next(now + micros(self._winner.poll))
            del claim.openings[number]
            claim.won[number] = consumer
            claim.first.pop(number, None)  # it comes again, in its turn
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
        since, parking = now + self._holdings.clock_offset, ParkedKeys(retry.bound, micros(self._winner.grace))
        parking.load(self._store.parked_keys(row.shard), since)
        errands = Errands()
        if claim.shard.plan.effects:
            errands.load(self._store.effects(row.shard), careful=row.careful > Caution.NONE)
        feeds, custody = self._feeds(claim, row), Custody()
        custody.load(row, [feed.name for feed in feeds], parking.keys.values(), since, self._winner.limits)
        shard = Shard(
            name=row.shard,
            plan=claim.shard.plan,
            partition=claim.shard.partition,
            epoch=row.epoch,
            commits=row.commits,
            lane_number=row.lane,
            generation=row.generation,
            floor=row.floor,
            feeds=feeds,
            lane=lane,
            timetable=table,
            parking=parking,
            errands=errands,
            pauses={pause.type: pause for pause in self._store.pauses(row.shard)},
            wake=self._receiving.wake,
            since=since,
            custody=custody,
        )
        del self._claims[row.shard]
        self._holdings.add(shard)

    def _feeds(self, claim: Claim, row: ShardRow) -> list[Feed]:
        feeds: list[Feed] = []
        for number, (topic, partition) in enumerate(claim.shard.feeds):
            source = self._receiving.sourced(claim.won[number])
            feed = Feed(topic, partition, source, row.positions.get(f"{topic.name}/{partition}"))
            if number in claim.first:
                feed.returned.append(claim.first[number])
            feeds.append(feed)
        return feeds

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
        for opening in claim.openings.values():
            opening.abandon()
        claim.openings.clear()
        for number in sorted(claim.won, reverse=True):
            claim.won[number].close()
        claim.won.clear()
        claim.behind.clear()
        claim.first.clear()
        claim.standing = claim.row = None
        claim.proven = claim.awaited = False


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
