"""Ownership: the broker decides who has a shard, the store fences what it may do (R12, R13, R15).

Once a second this worker says that it lives, and learns who else does and who has what: what it has lost, what it
should have, and what it should hand on. Winning is a room of its own (`winning`).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from magnetar.runtime.bus.port import BusError
from magnetar.runtime.instant import Instant, micros
from magnetar.runtime.store.port import CommitUnknown, StoreUnavailable
from magnetar.runtime.worker.machine import NEVER, Means, Next
from magnetar.runtime.worker.membership import Liveness, Membership, Presence
from magnetar.runtime.worker.observer import Loss, Wait
from magnetar.runtime.worker.reach import Reach
from magnetar.runtime.worker.winning import ShardPlan, Winner, Winning

if TYPE_CHECKING:
    from collections.abc import Mapping

    from magnetar.runtime.store.port import ShardName
    from magnetar.runtime.worker.bells import Bells
    from magnetar.runtime.worker.intake import Receiving
    from magnetar.runtime.worker.relay import Relay
    from magnetar.runtime.worker.shard import Shard

_log = logging.getLogger("magnetar.ownership")


@dataclass(frozen=True, slots=True)
class Tenure:
    """Settings, in seconds. `check`: between two beats. `storeless`, `disconnected`: without store or broker, let go.

    `silent`: when no broker has answered anything for so long, let everything go and connect anew (R32).

    `notice`: from when a shard is known to go to another until it is released, so that its next owner knows by then.
    `calm`: nobody must have come or gone for so long before shards are handed on: several who come together come one
    after the other, and take processors from those who work while they start.
    `hold`: a shard just won is not handed on before. `drain`: how long a lane may take to be sent. `at_once`: so many
    shards are handed on at a time, and those that follow go on working meanwhile; `accept`: how long one may
    take to drain, and its next owner to win it, before it is no longer waited for. `rest`: after one was taken, the
    next waits so many times as long as that took: where several hand on at once, it takes long, and they make room;
    who leaves does so for its first seconds of `leisure`, and then hands on so many at a time as it takes to be gone in
    time (`hurry`). So does one of whose shards more than two in three are to go, such as the first that was there after
    all had died: with several shares of the work they wait longer where they are than they stand still on their way.
    """

    check: float = 1.0
    storeless: float = 5.0
    disconnected: float = 5.0
    silent: float = 15.0
    notice: float = 1.0
    calm: float = 3.0
    hold: float = 10.0
    drain: float = 2.0
    at_once: int = 1
    accept: float = 1.0
    rest: float = 2.0
    leisure: float = 5.0
    hurry: int = 4
    liveness: Liveness = field(default_factory=Liveness)
    winner: Winner = field(default_factory=Winner)


@dataclass(slots=True)
class Farewell:
    """A shard on its way out, in order (R15). Its lane may drain `until` then, from when its last group is done."""

    shard: Shard
    since: Instant
    until: Instant | None = None


class Ownership:
    """The machine that wins, keeps, and gives back shards. Steps are called by the loop's thread only."""

    def __init__(
        self,
        means: Means,
        letting: tuple[Relay, Bells],
        receiving: Receiving,
        shards: Mapping[ShardName, ShardPlan],
        presence: Presence,
        tenure: Tenure,
    ) -> None:
        """`shards` are all of the app; `receiving` makes sources of their consumers; `letting` closes before (R15)."""
        self._store = means.store
        self._holdings = means.holdings
        self._relay, self._bells = letting
        self._observer = means.observer
        self._points = means.points
        self._tenure = tenure
        self._shards = shards
        self._membership = Membership(means, presence, tenure.liveness)
        self._bus = means.bus
        self._reach = Reach(means.bus, sorted({topic.name for each in shards.values() for topic, _ in each.feeds}))
        self._winning = Winning(means, self._membership, receiving, tenure.winner)
        self._farewells: dict[ShardName, Farewell] = {}
        self._queue: dict[ShardName, Shard] = {}
        self._offered: dict[ShardName, Instant] = {}
        self._offers_at: Instant = 0
        self._rests_until: Instant = 0
        self._going: dict[ShardName, Instant] = {}
        self._overladen = False
        self._company: frozenset[str] = frozenset()
        self._calm_since: Instant = 0
        self._beat_at: Instant = 0
        self._looked = False
        self._leaving = False
        self._leave_at: Instant | None = None
        self._departed = False
        self._store_seen: Instant | None = None
        self._cut_since: dict[ShardName, Instant] = {}

    def step(self, now: Instant) -> Next:
        """Bury what is lost, say that one lives, go on with what is wanted or being released."""
        self._points.reach("phase:ownership")
        self._bury(now)
        return Next.first(self._look_around(now), self._winning.go_on(now), self._release(now))

    def leave(self) -> None:
        """Begin to release everything, in order (R15): others are told, then it stops receiving, commits, drains."""
        if not self._leaving:
            self._leaving = True
            self._beat_at = 0
            self._winning.forgo_all()

    @property
    def gone(self) -> bool:
        """Whether a worker that leaves has nothing left."""
        return self._departed and not self._holdings.lost

    @property
    def settled(self) -> bool:
        """Whether everything that this worker should have is its own."""
        return self._looked and not self._winning.claims

    # looking around

    def _look_around(self, now: Instant) -> Next:
        """R13, R14: once a second, whether shards are still ours, and which should be."""
        if now < self._beat_at or self._departed:
            return NEVER if self._departed else Next(self._beat_at)
        self._beat_at = now + micros(self._tenure.check)
        if self._reach.ask(now):
            self._observer.reached(Wait.BROKER)
        self._watch_broker(now)
        try:
            self._membership.beat(self._reach.silence(now), leaving=self._leaving)
            self._winning.ask_the_time()
        except (StoreUnavailable, CommitUnknown) as error:
            self._without_store(str(error), now)
            self._bury(now)  # at once: whatever comes first in the next round may wait for the store again
            return Next(self._beat_at)
        self._store_seen = now
        self._looked = True
        self._observer.reached(Wait.STORE)
        for shard in self._holdings.shards():
            self._keep(shard, now)
        self._bury(now)  # what is wanted again is begun when the last of its former tenure is closed
        self._sort_out(now)
        return Next(self._beat_at)

    def _without_store(self, why: str, now: Instant) -> None:
        """R13: nobody can say whether the shards are still ours."""
        _log.warning("no word from the store: %s", why)
        if self._leaving:
            self._leave_at = now
        owned = self._holdings.shards()
        for shard in owned:
            self._observer.waiting(shard.name, why, Wait.STORE)
        if self._store_seen is not None and now - self._store_seen >= micros(self._tenure.storeless):
            for shard in owned:
                self._holdings.lose(shard, f"no store for {self._tenure.storeless} s: {why}", Loss.STORE)

    def _keep(self, shard: Shard, now: Instant) -> None:
        """R13: a moved epoch closes the shard."""
        epoch = self._membership.roster.shards[shard.name].epoch
        if epoch != shard.epoch:
            why = f"its epoch is {epoch}, not {shard.epoch}: another worker has taken it"
            self._holdings.lose(shard, why, Loss.TAKEN)
        else:
            self._watch_connection(shard, now)

    def _watch_connection(self, shard: Shard, now: Instant) -> None:
        """R32: a consumer that stays cut off is made anew, by giving the shard up and taking it again."""
        if all(feed.source.connected() for feed in shard.feeds):
            self._cut_since.pop(shard.name, None)
            self._observer.reached(Wait.BROKER)
            return
        self._observer.waiting(shard.name, "its consumer has no connection", Wait.BROKER)
        if now - self._cut_since.setdefault(shard.name, now) >= micros(self._tenure.disconnected):
            why = f"its consumer has had no connection for {self._tenure.disconnected} s"
            self._holdings.lose(shard, why, Loss.BROKER)

    def _watch_broker(self, now: Instant) -> None:
        """R32: a connection that died unnoticed stays dead for long; a new one does not. Release, then connect anew."""
        failing, why = self._reach.failing(now)
        if failing < micros(self._tenure.silent):
            return
        for shard in self._holdings.shards():
            self._holdings.lose(shard, f"no broker for {self._tenure.silent} s: {why}", Loss.BROKER)
        self._winning.forgo_all()
        self._bury(now)
        try:
            self._bus.renew()
        except BusError as error:
            _log.warning("no new connection to the broker: %s", error)
        self._reach.renewed()

    def _sort_out(self, now: Instant) -> None:
        """Want what this worker should have; hand on what another should, once that one can know (R14)."""
        if self._leaving:
            if self._leave_at is None:
                self._leave_at = now + (micros(self._tenure.notice) if self._membership.others else 0)
            return
        if self._membership.company != self._company:
            self._company, self._calm_since = self._membership.company, now
        wanted = {name: plan for name, plan in self._shards.items() if self._membership.wants(name)}
        self._observer.assigned(list(wanted))
        if why := self._membership.excluded:
            self._observer.excluded(why)
        for name, plan in self._shards.items():
            shard = self._holdings.find(name)
            if shard is not None:
                self._hand_on(shard, now)
            elif name in wanted:
                self._winning.want(plan)
            else:
                self._winning.forgo(name)
                self._give_back(name)
        going, owned = len(self._going), len(self._holdings.shards())
        self._overladen = going > 0 and (self._overladen or 3 * going > 2 * owned)  # until the last of them has gone

    def _hand_on(self, shard: Shard, now: Instant) -> None:
        if not self._membership.goes(shard.name):
            self._going.pop(shard.name, None)
            self._queue.pop(shard.name, None)
            return
        noticed = self._going.setdefault(shard.name, now)
        settled = self._membership.held_for(shard.name) >= micros(self._tenure.hold)
        calm = now - self._calm_since >= micros(self._tenure.calm)
        if settled and calm and now - noticed >= micros(self._tenure.notice):
            self._queue.setdefault(shard.name, shard)

    # letting go

    def _bid_farewells(self, now: Instant) -> None:
        """A few at a time: a shard stands still from here until its next owner has it, which takes them one by one."""
        if self._offered and now >= self._offers_at:
            self._look_after(now)
        if not self._queue or now < self._rests_until:
            return
        room = max(self._tenure.at_once, len(self._holdings.shards()) // 16)
        if self._hurries(now):
            room = max(room, self._tenure.hurry)
        for name, shard in list(self._queue.items()):
            if self._on_their_way(now) >= room:
                return
            del self._queue[name]
            if self._holdings.holds(shard) and name not in self._farewells:
                shard.stopping = True
                self._farewells[name] = Farewell(shard, now)

    def _on_their_way(self, now: Instant) -> int:
        """How many shards stand still for being handed on. A lane that does not drain holds up the others no longer."""
        patience = micros(self._tenure.accept)
        return len(self._offered) + sum(now - each.since < patience for each in self._farewells.values())

    def _look_after(self, now: Instant) -> None:
        """Which of the shards that were released have been taken. Who does not take them is not waited for long."""
        self._offers_at = now + micros(self._tenure.winner.handover)
        try:
            standings = self._store.standings(list(self._offered))
        except StoreUnavailable:
            self._offered.clear()
            return
        for name, since in list(self._offered.items()):
            if standings[name].owner:
                self._rests_until = max(self._rests_until, now + self._rest(now - since, now))
            elif now - since < micros(self._tenure.accept):
                continue
            del self._offered[name]

    def _rest(self, took: Instant, now: Instant) -> Instant:
        """How long to wait with the next shard after one that took so long to be taken."""
        return 0 if self._hurries(now) else round(self._tenure.rest * took)

    def _hurries(self, now: Instant) -> bool:
        late = self._leave_at is not None and now - self._leave_at >= micros(self._tenure.leisure)
        return late or self._overladen

    def _give_back(self, name: ShardName) -> None:
        """A shard that was lost without anybody taking it still names this worker, whom all others respect."""
        standing = self._membership.roster.shards[name]
        if standing.owner == self._holdings.taker.owner:
            self._mark_released(name, standing.epoch)

    def _bury(self, now: Instant) -> None:
        """Close what lost shards still have open, and look around anew.

        All are left before the first is waited for: a broker that is slow may take as long for each as a close may.
        """
        for shard in self._holdings.lost:
            self._leave(shard)
        for shard in self._holdings.lost:
            self._close(shard)
            self._beat_at = min(self._beat_at, now + micros(self._tenure.winner.retry))
            self._looked = False
        self._holdings.lost.clear()

    def _release(self, now: Instant) -> Next:
        if self._leaving and self._leave_at is not None and now >= self._leave_at:
            self._leave_for_good()
        self._bid_farewells(now)
        for farewell in list(self._farewells.values()):
            if not farewell.shard.in_turn and self._may_go(farewell, now):
                self._let_go(farewell.shard, now)
        if self._farewells:
            return Next(now + micros(self._tenure.winner.poll))
        if self._queue:  # those that are offered are to be taken first
            return Next(max(now + micros(self._tenure.winner.poll), self._offers_at, self._rests_until))
        if self._leaving and not self._departed:
            return Next(max(now + micros(self._tenure.winner.poll), self._leave_at or 0))
        return NEVER

    def _leave_for_good(self) -> None:
        for shard in self._holdings.shards():
            if shard.name not in self._farewells:
                self._queue.setdefault(shard.name, shard)
        if not self._holdings.shards():
            self._depart()

    def _mark_released(self, name: ShardName, epoch: int, sent: tuple[int, int] | None = None) -> None:
        try:
            self._store.release(name, epoch, self._holdings.life, sent)
        except (StoreUnavailable, CommitUnknown) as error:
            _log.warning("shard %s: not marked clean: %s", name, error)

    def _let_go(self, shard: Shard, now: Instant) -> None:
        """Marked released last of all: a next owner that met *busy* would be held up by its own client for seconds.

        Rows with a receipt go along with it: nothing is sent here any more, so those that have none stay (R15).
        """
        self._holdings.lose(shard, "released", Loss.RELEASED)
        self._holdings.lost.remove(shard)
        self._close(shard)
        self._mark_released(shard.name, shard.epoch, shard.lane.deletable)
        if self._membership.others:
            self._offered[shard.name] = now

    def _may_go(self, farewell: Farewell, now: Instant) -> bool:
        """Whether the lane is drained, or it had its time: unsent rows stay rows."""
        if farewell.until is None:
            farewell.until = now + micros(self._tenure.drain)
        return self._relay.drained(farewell.shard) or now >= farewell.until

    def _leave(self, shard: Shard) -> None:
        """Begin to close all that a lost shard has open: who comes next is not this worker's to choose any more."""
        self._relay.leave(shard)
        self._bells.leave(shard)
        for feed in shard.feeds:
            feed.source.leave()

    def _close(self, shard: Shard) -> None:
        """Producers and feeds at a time; then the main one, which decides who is in: the last of all (R15)."""
        self._farewells.pop(shard.name, None)
        self._queue.pop(shard.name, None)
        self._going.pop(shard.name, None)
        self._cut_since.pop(shard.name, None)
        main, *others = [feed.source for feed in shard.feeds]
        for source in others:
            source.leave()
        self._relay.close(shard)
        self._bells.close(shard)
        for source in others:
            source.close()
        main.close()

    def _depart(self) -> None:
        """Others need not wait until this worker's last beat is old."""
        self._departed = True
        try:
            self._membership.depart()
        except (StoreUnavailable, CommitUnknown) as error:
            _log.warning("not taken off the list of workers: %s", error)
