"""Effects: attempts are begun when due, committed, called, and heard; what they came to is told (R29).

    asked, due ──► a slot, a token, a closed breaker ──► its attempt is committed ──► called ──► outcome: told, closed
        ▲                                                                              │
        └────────────── without one: that is committed, and it is asked again ─────────┘

A crash between any two leaves a row: the next owner asks again, under the same key, when the attempt has had its time.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING

from magnetar.runtime.effects import Call
from magnetar.runtime.errors import BrokenPromise, NotSent
from magnetar.runtime.identity import to_text
from magnetar.runtime.instant import Instant, micros, seconds, to_iso
from magnetar.runtime.store.effects import EffectMove, EffectState
from magnetar.runtime.worker.answers import FIRST, Ending, Verdict, again_at, contradicts, judged, told, unknown
from magnetar.runtime.worker.breaker import Breaker, BreakerState
from magnetar.runtime.worker.budget import Budget
from magnetar.runtime.worker.bulkhead import Job
from magnetar.runtime.worker.machine import NEVER, Means, Next
from magnetar.schemas import DecodeFailed, EncodeFailed, SchemaUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from magnetar.runtime.effects import Dependency
    from magnetar.runtime.store.effects import EffectRow
    from magnetar.runtime.store.port import ShardName
    from magnetar.runtime.wiring import ActorPlan, EffectPlan
    from magnetar.runtime.worker.answers import Told
    from magnetar.runtime.worker.bulkhead import Bulkhead
    from magnetar.runtime.worker.reading import Reader
    from magnetar.runtime.worker.shard import Shard

_log = logging.getLogger("magnetar.effects")

PATIENCE: Instant = micros(10)
"""So long does what must be handled alone wait for a call that is under way, at most."""


@dataclass(slots=True)
class Line:
    """One dependency's queue over all shards, and who may go. `busy`: slots taken, by calls and by attempts to be made.

    `reserved`: attempts on their way to the store, with the breaker's round in which each was begun.
    """

    dependency: Dependency
    budget: Budget
    breaker: Breaker
    busy: int = 0
    waiting: list[tuple[Instant, int, Shard, EffectRow]] = field(default_factory=list)
    reserved: dict[tuple[ShardName, bytes], tuple[Shard, int]] = field(default_factory=dict)


@dataclass(slots=True)
class Flight:
    """A call under way. `late`: it has had its time, and counts as unknown. `before`: what was told of its effect."""

    shard: Shard
    row: EffectRow
    effect: EffectPlan
    line: Line
    round: int
    began: Instant
    late: bool = False
    before: Ending | None = None

    @property
    def deadline(self) -> Instant:
        """When it has had its time."""
        return self.began + micros(self.line.dependency.timeout)

    @property
    def ends(self) -> tuple[Instant, Instant]:
        """When it has had its time, and when nobody who must be alone waits for it any more."""
        return self.deadline, self.began + PATIENCE


class Effects:
    """The machine that calls the outside world. Steps are called by the loop's thread only."""

    def __init__(self, means: Means, plans: Iterable[ActorPlan], reader: Reader, bulkhead: Bulkhead) -> None:
        """One for all owned shards."""
        self._holdings = means.holdings
        self._observer = means.observer
        self._points = means.points
        self._reader = reader
        self._bulkhead = bulkhead
        self._numbers = count(1)
        self._order = count()
        self._flights: dict[int, Flight] = {}
        dependencies = {effect.dependency.name: effect.dependency for plan in plans for effect in plan.effects.values()}
        self._lines = {
            name: Line(each, Budget.of(each.rate, each.burst), Breaker(each.breaking))
            for name, each in dependencies.items()
        }

    @property
    def idle(self) -> bool:
        """Whether no call is under way and nothing of an effect is to be committed or called now."""
        shards = self._holdings.shards()
        return not self._flights and all(shard.errands.quiet for shard in shards)

    def breakers(self, now: Instant) -> Mapping[str, BreakerState]:
        """Dependency → its breaker. Any thread; a snapshot."""
        return {name: line.breaker.state(now) for name, line in self._lines.items()}

    def under_way(self) -> Mapping[str, int]:
        """Dependency → slots taken. Any thread; a snapshot."""
        return {name: line.busy for name, line in self._lines.items()}

    def step(self, now: Instant) -> Next:
        """Hear what has ended, give up on what takes too long, make committed attempts, and begin others."""
        self._points.reach("phase:effects")
        if not self._lines:
            return NEVER
        for number, result in self._bulkhead.finished():
            self._land(number, result, now)
        self._expire(now)
        called = sum(self._look(shard, now) for shard in self._holdings.shards() if not shard.stopping)
        choices = [self._serve(line, now) for line in self._lines.values()]
        choices += [Next(at) for flight in self._flights.values() for at in flight.ends if at > now]
        self._count(now)
        return Next(now) if called else Next.first(NEVER, *choices)

    def _count(self, now: Instant) -> None:
        """Tell whoever must be alone (R25) how many calls are under way, or committed to be."""
        busy = sum(line.busy for line in self._lines.values())
        self._holdings.calls = busy - sum(min(flight.ends) <= now for flight in self._flights.values())

    # what has ended

    def _land(self, number: int, result: object, now: Instant) -> None:
        flight = self._flights.pop(number, None)
        if flight is None:
            _log.debug("call %d has answered twice", number)
            return
        flight.line.busy -= 1
        verdict = judged(flight.effect, result)
        self._account(flight, verdict, now)
        self._hear(flight, verdict, now)

    def _expire(self, now: Instant) -> None:
        for flight in [each for each in self._flights.values() if not each.late and each.deadline <= now]:
            text = f"no answer within {flight.line.dependency.timeout} s"
            verdict = Verdict(Ending.UNKNOWN, error="TimeoutError", error_text=text)
            self._account(flight, verdict, now)
            self._hear(flight, verdict, now)
            flight.late = True

    def _account(self, flight: Flight, verdict: Verdict, now: Instant) -> None:
        """Tell breaker and metrics, once a call."""
        if flight.late:
            return
        line = flight.line
        before = line.breaker.state(now)
        line.breaker = line.breaker.ended(flight.round, now, failed=verdict.message is None)
        after = line.breaker.state(now)
        self._say(line)
        if after is not before:
            self._observer.breaker(line.dependency.name, after)
            _log.warning("dependency %s: the breaker is %s, it was %s", line.dependency.name, after.value, before.value)
        self._observer.called(line.dependency.name, verdict.ending, seconds(now - flight.began))

    def _say(self, line: Line) -> None:
        """The next heartbeat tells others which dependencies are left alone here."""
        alone, name = line.breaker.left_alone(), line.dependency.name
        if alone is not None:
            self._holdings.left_alone[name] = alone
        else:
            self._holdings.left_alone.pop(name, None)

    def _hear(self, flight: Flight, verdict: Verdict, now: Instant) -> None:
        """An answer is told only while the shard is ours; else its next owner asks again, under the same key."""
        shard, row = flight.shard, flight.row
        if not self._holdings.holds(shard):
            return
        current = shard.errands.rows.get(row.effect_id)
        if flight.before is not None:
            if contradicts(flight.before, verdict):
                self._tell(flight, verdict, row.attempts)
        elif current is not None:
            self._weigh(flight, current, verdict, now)

    def _weigh(self, flight: Flight, current: EffectRow, verdict: Verdict, now: Instant) -> None:
        """The first outcome, or none yet; `current` is the effect's row, perhaps at a later attempt than this one."""
        errands, row = flight.shard.errands, flight.row
        if verdict.settles(errands.doubtful(current) - 1):
            if self._tell(flight, verdict, FIRST):
                return
            verdict = Verdict(Ending.UNKNOWN, error="EncodeFailed", error_text="its answer does not fit its contract")
        if not verdict.doubt:
            errands.resolved[row.effect_id] += 1
        if current.attempts == row.attempts and not flight.late:
            self._again(flight, current, verdict, now)

    def _tell(self, flight: Flight, verdict: Verdict, number: int) -> bool:
        """Hand the outcome to the turn. False: it cannot be written."""
        assert verdict.message is not None, f"{verdict} tells nothing"
        try:
            outcome = told(flight.shard.plan, flight.row, verdict.ending, verdict.message, number)
        except EncodeFailed as error:
            _log.exception("%s: its answer cannot be kept: %s", _about(flight.row), error)
            return False
        self._hand_over(flight.shard, outcome)
        return True

    def _hand_over(self, shard: Shard, outcome: Told) -> None:
        if outcome.number == FIRST:
            shard.errands.over.add(outcome.row.effect_id)
        else:
            _log.error("%s: %s after another outcome was told", _about(outcome.row), outcome.ending.value)
        for flight in self._flights.values():
            if flight.shard is shard and flight.row.effect_id == outcome.row.effect_id:
                flight.before = outcome.ending
        shard.errands.told.append(outcome)
        self._observer.outcome(outcome.row.dependency, outcome.ending)

    def _again(self, flight: Flight, row: EffectRow, verdict: Verdict, now: Instant) -> None:
        """It has no outcome: asked again later, or the attempts are over."""
        failed = row._replace(error=verdict.error, error_text=verdict.error_text)
        if row.attempts >= flight.line.dependency.attempts:
            self._give_up(flight.shard, flight.effect, failed)
            return
        errands = flight.shard.errands
        doubtful = errands.doubtful(row)
        due = again_at(flight.line.dependency, row, now + self._holdings.clock_offset)
        state = EffectState.UNKNOWN if doubtful else EffectState.ASKED
        errands.resolved.pop(row.effect_id, None)
        errands.moves.append(
            EffectMove(failed._replace(state=state.value, doubtful=doubtful, due=due), row.attempts)
        )  # fmt: skip
        what = "unknown" if verdict.doubt else verdict.ending.value
        _log.warning(
            "%s: attempt %d is %s (%s: %s); asked again at %s",
            _about(row), row.attempts, what, verdict.error, verdict.error_text, to_iso(due),
        )  # fmt: skip

    def _give_up(self, shard: Shard, effect: EffectPlan, row: EffectRow) -> None:
        outcome = unknown(shard.plan, effect, row, shard.errands.doubtful(row))
        _log.error("%s: nobody knows after %d attempts (%s: %s)", _about(row), row.attempts, row.error, row.error_text)
        self._hand_over(shard, outcome)

    # what is committed

    def _look(self, shard: Shard, now: Instant) -> int:
        """News of a shard; returns how many calls were begun.

        What was never tried is due: where the store's clock was put back, it was asked at a time yet to come (R5).
        """
        errands = shard.errands
        while errands.to_wait:
            row = errands.to_wait.popleft()
            effect = shard.plan.effects.get(row.type)
            if effect is not None:  # else: it waits for code that knows it
                due = row.due if row.attempts else min(row.due, now + self._holdings.clock_offset)
                heappush(self._lines[effect.dependency.name].waiting, (due, next(self._order), shard, row))
        called = 0
        while errands.to_call:
            called += self._call(shard, errands.to_call.popleft(), now)
        return called

    def _call(self, shard: Shard, row: EffectRow, now: Instant) -> int:
        """Make a committed attempt, unless its effect has an outcome meanwhile."""
        effect = shard.plan.effects[row.type]
        line = self._lines[effect.dependency.name]
        _, round_ = line.reserved.pop((shard.name, row.effect_id))
        if not shard.errands.waits(row):
            line.busy -= 1
            line.breaker = line.breaker.dropped(round_)
            return 0
        self._assert_committed(shard, row)
        number = next(self._numbers)
        self._flights[number] = Flight(shard, row, effect, line, round_, now)
        try:
            request = self._reader.request(shard.plan, effect, row)
        except (DecodeFailed, SchemaUnavailable) as error:
            self._land(number, NotSent(str(error)), now)
            return 1
        call = Call(
            to_text(row.effect_id), row.actor, row.key, row.attempts, line.dependency.timeout, row.correlation_id
        )
        self._bulkhead.begin(Job(number, line.dependency, effect.function, request, call))
        return 1

    def _assert_committed(self, shard: Shard, row: EffectRow) -> None:
        """Asserted always: an attempt is committed before its call, and an effect with an outcome is called no more."""
        known = shard.errands.rows.get(row.effect_id)
        if known is None or known.state != EffectState.OPEN or known.attempts != row.attempts:
            message = f"shard {shard.name}: about to make attempt {row.attempts} of {_about(row)}; committed is {known}"
            raise BrokenPromise(message)

    # what may begin

    def _serve(self, line: Line, now: Instant) -> Next:
        """Begin what is due, as far as slots, budget and breaker go; returns when to look again."""
        self._drop_lost(line)
        instant = now + self._holdings.clock_offset
        while line.waiting:
            due, _, shard, row = line.waiting[0]
            if self._is_stale(shard, row):
                heappop(line.waiting)
            elif due > instant:
                return Next(due - self._holdings.clock_offset)
            elif row.attempts >= line.dependency.attempts:
                heappop(line.waiting)
                self._give_up(shard, shard.plan.effects[row.type], row)
            elif self._holdings.alone:
                return NEVER  # the turn tells
            elif (at := _may_go(line, now)) is not None:
                return at
            else:
                heappop(line.waiting)
                self._begin(line, shard, row, now, instant)
        return NEVER

    def _is_stale(self, shard: Shard, row: EffectRow) -> bool:
        return shard.stopping or not self._holdings.holds(shard) or not shard.errands.waits(row)

    def _begin(self, line: Line, shard: Shard, row: EffectRow, now: Instant, instant: Instant) -> None:
        """The attempt goes to the store first: R29."""
        errands = shard.errands
        line.busy += 1
        line.budget = line.budget.taken(now)
        line.reserved[shard.name, row.effect_id] = shard, line.breaker.round
        line.breaker = line.breaker.begun()
        began = row._replace(
            state=EffectState.OPEN.value,
            attempts=row.attempts + 1,
            doubtful=errands.doubtful(row) + 1,
            due=instant + micros(line.dependency.timeout),
        )
        errands.resolved.pop(row.effect_id, None)
        errands.moves.append(EffectMove(began, row.attempts))

    def _drop_lost(self, line: Line) -> None:
        """Attempts that were never committed, or may not be made any more: their shard is gone."""
        for who, (shard, round_) in list(line.reserved.items()):
            if not self._holdings.holds(shard) or who[1] not in shard.errands.rows:
                del line.reserved[who]
                line.busy -= 1
                line.breaker = line.breaker.dropped(round_)


def _may_go(line: Line, now: Instant) -> Next | None:
    """None: one more may begin. Else when it may; `NEVER`: when a call has ended, which is told."""
    if line.busy >= line.dependency.threads:
        return NEVER
    if not line.breaker.admits(now):
        until = line.breaker.until
        return Next(until) if until is not None and until > now else NEVER
    ready = line.budget.ready_at()
    return Next(ready) if ready > now else None


def _about(row: EffectRow) -> str:
    return f"{row.actor}/{row.key:.80}: {row.type} {to_text(row.effect_id)}"
