"""Durable timers: a due one fires once its shard has applied what was published before the due time (R26)."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop
from typing import TYPE_CHECKING

from magnetar.runtime.instant import Instant, micros
from magnetar.runtime.store.port import StoreUnavailable
from magnetar.runtime.worker.machine import NEVER, Means, Next
from magnetar.runtime.worker.observer import Wait

if TYPE_CHECKING:
    from magnetar.runtime.worker.shard import Shard


@dataclass(frozen=True, slots=True)
class Clockwork:
    """Settings, in seconds.

    `window`: how far ahead timers are held in memory; `poll`: how often a waiting one is looked at.
    """

    window: float = 60.0
    poll: float = 0.005
    retry: float = 0.5


class Timers:
    """The machine that fires timers into their shards. Steps are called by the loop's thread only."""

    def __init__(self, means: Means, clockwork: Clockwork) -> None:
        """One for all owned shards."""
        self._store = means.store
        self._holdings = means.holdings
        self._observer = means.observer
        self._points = means.points
        self._clockwork = clockwork
        self._window = micros(clockwork.window)
        self._retry_at: Instant = 0

    def step(self, now: Instant) -> Next:
        """Move each shard's due timers to where the turn takes them."""
        self._points.reach("phase:timers")
        instant = now + self._holdings.clock_offset
        choices = [self._serve(shard, now, instant) for shard in self._holdings.shards() if _runs(shard)]
        return Next.first(*choices) if choices else NEVER

    def _serve(self, shard: Shard, now: Instant, instant: Instant) -> Next:
        table = shard.timetable
        while table.heap and not table.is_armed(table.heap[0][2]):
            heappop(table.heap)
        if instant + self._window // 2 >= table.horizon and now >= self._retry_at:
            self._look_further(shard, instant, now)
        if not table.heap:
            look = table.horizon - self._holdings.clock_offset - self._window // 2
            return Next(max(look, self._retry_at))
        due = table.heap[0][0]
        if due > instant:
            return Next(due - self._holdings.clock_offset)
        if not self._may_fire(shard, due, instant):
            return Next(now + micros(self._clockwork.poll))
        while table.heap and table.heap[0][0] == due:
            _, _, timer = heappop(table.heap)
            if table.is_armed(timer):
                shard.due.append(timer)
        return Next(now)

    def _look_further(self, shard: Shard, instant: Instant, now: Instant) -> None:
        horizon = instant + self._window
        try:
            timers = self._store.timers(shard.name, horizon)
        except StoreUnavailable as error:
            self._observer.waiting(shard.name, str(error), Wait.STORE)
            self._retry_at = now + micros(self._clockwork.retry)
            return
        shard.timetable.look(timers, horizon)

    def _may_fire(self, shard: Shard, due: Instant, instant: Instant) -> bool:
        """R26: on every feed a later publish time was seen, or the broker says that nothing older is left.

        Or it waited long enough: not counting the time in which nobody owned the shard, for what was published then
        is still to come.
        """
        if instant - max(due, shard.since) >= micros(shard.plan.policy.punctuality):
            return True
        if shard.in_turn or shard.mail:
            return False
        return all(feed.seen > due or feed.source.drained(due, instant, feed.applied) for feed in shard.feeds)


def _runs(shard: Shard) -> bool:
    return not (shard.stopping or shard.halted)
