"""The way of a message through the worker, one phase a step.

    Idle → Taken → Known → Loaded → Handled → Committed → Idle
                                        └─→ Unknown ─┘

*Taken*: what was there, round-robin over the shards (R21). *Known*: decoded, and without what the journal knows (R2).
*Loaded*: the states it lacked are there. *Handled*: handlers have run, into a group; memory is as it was (R7).
*Committed*: durable; memory follows, then the acknowledgement (R10). *Unknown*: the connection was lost while
committing; read back (R8). A crash between any two phases loses nothing: unacknowledged messages come again.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from magnetar.runtime.errors import BrokenPromise, ShardLost, Unhandleable
from magnetar.runtime.instant import Instant, micros
from magnetar.runtime.store.port import CommitRejected, CommitUnknown, StoreUnavailable, VersionConflict
from magnetar.runtime.worker.asked import ENDED, GoesAlone
from magnetar.runtime.worker.batch import Batch, Group
from magnetar.runtime.worker.care import Care
from magnetar.runtime.worker.choosing import Choice
from magnetar.runtime.worker.commit import advance, read_back
from magnetar.runtime.worker.handling import handle
from magnetar.runtime.worker.knowing import Knowing
from magnetar.runtime.worker.machine import NEVER, Means, Next
from magnetar.runtime.worker.notices import tell
from magnetar.runtime.worker.observer import Loss, Wait
from magnetar.schemas import SchemaUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from magnetar.runtime.bus.port import Position
    from magnetar.runtime.worker.batch import Limits, Suspect
    from magnetar.runtime.worker.part import Handled, Place
    from magnetar.runtime.worker.reading import Reader
    from magnetar.runtime.worker.shard import Shard

_log = logging.getLogger("magnetar.worker")


class Turn:
    """The machine that applies messages. Steps are called by the loop's thread only."""

    def __init__(
        self, means: Means, place: Place, reader: Reader, noise: Callable[[int], bytes], limits: Limits
    ) -> None:
        """`noise` mints ids of mail."""
        self._store = means.store
        self._holdings = means.holdings
        self._place = place
        self._reader = reader
        self._observer = means.observer
        self._points = means.points
        self._clock = means.clock
        self._limits = limits
        self._group: Group | None = None
        self._care = Care(means.store, means.holdings, limits.few, place.code)
        self._choice = Choice(means.holdings, self._care, limits.group)
        self._knowing = Knowing(means.store, reader, means.observer, noise)
        self._phase: Callable[[Instant], Next] = self._take
        self._refused: dict[bytes, str] = {}
        self._not_before: Instant = 0
        self._tidy_at: Instant | None = None
        self.pressed = False
        """Whether the last group was half of what one may hold, or one arrival alone: others wait behind it."""

    @property
    def idle(self) -> bool:
        """Whether no group is in hand."""
        return self._group is None and self._choice.following is None

    @property
    def batches(self) -> list[Batch]:
        """What the group in hand was taken from. Any thread; a snapshot."""
        groups = (self._group, self._choice.following)
        return [batch for group in groups if group is not None for batch in group.batches]

    def step(self, now: Instant) -> Next:
        """One phase, unless a retry is not due yet."""
        return Next(self._not_before) if now < self._not_before else self._phase(now)

    # Idle → Taken

    def _take(self, now: Instant) -> Next:
        shards = [shard for shard in self._holdings.shards() if not shard.stopping]
        for shard in shards:
            if shard.custody.found:
                return self._go(Group([]), partial(self._charge, shard), "taken", now)
        was_alone = self._holdings.alone
        try:
            group = self._choice.take(shards, now)
        except StoreUnavailable as error:
            return self._abandon(Group([]), str(error), now)
        if self._care.is_due(self._holdings.shards(), group, now):
            self._choice.following = group
            return self._go(Group([]), self._handle, "loaded", now)
        if group is not None:
            self.pressed = group.hand is not None or 2 * group.size >= self._limits.group
            return self._go(group, self._know, "taken", now)
        waits = [Next(now)] if was_alone and not self._holdings.alone else []  # effects may be called again
        waits += [Next(shard.waits_until) for shard in shards if shard.waits_until > now]
        looks = [Next(shard.custody.careful.look_at) for shard in shards if shard.custody.careful is not None]
        return Next.first(self._tidy(shards, now), *waits, *looks)

    def _charge(self, shard: Shard, now: Instant) -> Next:
        """R24: what the last owner ended of is known from its hand; that is committed before anything else."""
        group = self._hand()
        try:
            self._care.charge(group, shard, now)
        except StoreUnavailable as error:
            return self._abandon(group, str(error), now)
        return self._go(group, self._commit, "handled", now)

    def _tidy(self, shards: Iterable[Shard], now: Instant) -> Next:
        """Nothing arrives: settled rows go by a group of their own, later. Those of a leaving shard: by its release."""
        untidy = [shard for shard in shards if shard.lane.deletable]
        if not untidy:
            self._tidy_at = None
            return NEVER
        if self._tidy_at is None:
            self._tidy_at = now + micros(self._limits.tidy)
        if now < self._tidy_at:
            return Next(self._tidy_at)
        self._tidy_at = None
        batches = [Batch(shard) for shard in untidy]
        for batch in batches:
            batch.shard.in_turn = True
        return self._go(Group(batches), self._handle, "loaded", now)

    # Taken → Known

    def _know(self, now: Instant) -> Next:
        group, instant = self._hand(), now + self._holdings.clock_offset
        try:
            known = self._knowing.ask(group)
        except StoreUnavailable as error:
            return self._abandon(group, str(error), now)
        for batch in list(group.batches):
            try:
                self._knowing.open(batch, known[batch.shard.plan.name], instant, self._tail(batch.shard))
            except SchemaUnavailable as error:
                self._wait(group, batch, str(error), now)
            except GoesAlone:
                group.leave_out(batch)
            except StoreUnavailable as error:
                return self._abandon(group, str(error), now)
        if fresh := self._reader.fresh():
            try:
                self._store.remember(fresh)
            except (StoreUnavailable, CommitUnknown) as error:
                self._reader.keep(fresh)
                return self._abandon(group, str(error), now)
        return self._go(group, self._load, "known", now)

    def _tail(self, shard: Shard) -> int:
        """So many parked messages of a key go on together."""
        if self._choice.one_by_one:
            return 1
        return self._limits.tail if shard.custody.careful is None else min(self._limits.tail, self._limits.few)

    # Known → Loaded

    def _load(self, now: Instant) -> Next:
        group = self._hand()
        homes: dict[str, dict[str, Shard]] = {}
        for batch in group.batches:
            shard = batch.shard
            missing = {arrival.key for arrival in batch.involved()} - shard.entities.keys()
            homes.setdefault(shard.plan.name, {}).update((key, shard) for key in missing if shard.houses(key))
        try:
            unread = self._knowing.load(homes)
        except StoreUnavailable as error:
            return self._abandon(group, str(error), now)
        for batch in group.batches if unread else ():
            batch.leave_unread(unread)
        return self._go(group, self._handle, "loaded", now)

    # Loaded → Handled

    def _handle(self, now: Instant) -> Next:
        group = self._hand()
        for batch in [each for each in group.batches if not self._holdings.holds(each.shard)]:
            group.leave_out(batch)  # it was lost meanwhile: its messages are for who has it now
        self._choice.drop_lost()
        group.parts = [self._handled(batch, now) for batch in group.batches]
        shards = self._holdings.shards()
        if self._choice.following is not None or self._care.concerns(shards):
            if self._care.foresees(shards):
                self._choice.foresee(group, now)
            self._care.write(group, self._choice.following, now)
        return self._go(group, self._commit, "handled", now)

    def _handled(self, batch: Batch, now: Instant) -> Handled:
        instant = now + self._holdings.clock_offset
        refused = {**self._refused, batch.request.id: ENDED} if batch.request and not batch.opened else self._refused
        handled = handle(batch.shard, self._place, instant, batch.arrivals, refused, batch.asked)
        for failed in handled.failed:
            self._observer.failing(failed)
        batch.enter(handled.changes)
        handled.changes.sent = batch.shard.lane.deletable
        batch.shard.heralded.update((row.topic, row.partition) for row in handled.changes.outbox)
        if handled.rehomed:
            self._observer.rehomed(batch.shard.plan.name, handled.rehomed)
        if handled.stale:
            self._observer.stale_timers(batch.shard.plan.name, handled.stale)
        return handled

    # Handled → Committed, or → Unknown

    def _commit(self, now: Instant) -> Next:
        group, began = self._hand(), self._clock()
        try:
            refused = self._store.commit([handled.changes for handled in group.parts])
        except CommitUnknown:
            return self._go(group, self._read_back, "unknown", now)
        except StoreUnavailable as error:
            return self._hold(str(error), now)
        except VersionConflict as error:
            return self._conflict(group, error, now)
        except CommitRejected as error:
            return self._rejected(group, error, now)
        self._observer.stored(self._clock() - began)
        for handled in group.parts:
            if handled.shard.name in refused:
                self._observer.refused(handled.shard.name)
                self._lose(group, handled.shard, "its fence refused a commit: another worker has taken it", Loss.FENCED)
        return self._go(group, self._follow, "committed", now)

    def _read_back(self, now: Instant) -> Next:
        """R8. `StoreUnavailable` leaves the question open; it is asked again."""
        group = self._hand()
        try:
            self._store.reconnect()
            result = read_back(self._store, group.parts, self._holdings.taker)
        except (StoreUnavailable, CommitUnknown) as error:
            return self._hold(str(error), now)
        for shard in result.lost:
            self._lose(group, shard, "its epoch had moved when a commit of unknown outcome was read back", Loss.TAKEN)
        for handled in (*result.durable, *result.again):
            self._observer.unknown_commit(happened=handled in result.durable)
        if result.durable and result.again:
            message = "one transaction was durable for some of its shards only"
            raise BrokenPromise(message)
        group.parts = [handled for handled in group.parts if handled.shard not in result.lost]
        return self._go(group, self._commit if result.again else self._follow, "handled", now)

    def _conflict(self, group: Group, error: VersionConflict, now: Instant) -> Next:
        """R9: somebody else wrote this shard's rows. Drop it; the others' part is still good."""
        for handled in list(group.parts):
            if handled.shard.name == error.shard:
                self._lose(group, handled.shard, str(error), Loss.CONFLICT)
        return self._go(group, self._commit, "handled", now)

    def _rejected(self, group: Group, error: CommitRejected, now: Instant) -> Next:
        """R9: find the message by taking them one by one; that one cannot be handled."""
        suspects = [(batch, suspect) for batch in group.batches for suspect in batch.suspects()]
        if len(suspects) == 1:
            return self._refuse(group, *suspects[0], error, now)
        self._choice.one_by_one = group.size
        why = f"the store refuses a group: {error}; taking its messages one by one"
        return self._abandon(group, why, now, Wait.REFUSAL)

    def _refuse(self, group: Group, batch: Batch, suspect: Suspect, error: CommitRejected, now: Instant) -> Next:
        """R9: it fails for good, in the same group. What the store refuses even as a dead letter stops the worker."""
        if suspect.id in self._refused:
            why = f"the store refuses its dead letter: {error}"
            raise Unhandleable(batch.shard.plan.name, suspect.source, suspect.at, why) from error
        self._refused[suspect.id] = f"the store refuses it: {error}"
        return self._go(group, self._handle, "loaded", now)

    # Committed → Idle

    def _follow(self, now: Instant) -> Next:
        """Memory follows the store, then askers are answered, then the broker may forget (R7, R10)."""
        group = self._hand()
        self._choice.one_by_one = max(0, self._choice.one_by_one - 1)
        for handled in group.parts:
            tell(handled)
            advance(handled.shard, handled)
            for reply, state in handled.replies:
                reply.set(state)
            for reply, error in handled.refusals:
                reply.set_exception((type(error), error, None))
        for batch in group.batches:
            batch.mail.clear()
            batch.advance()
            batch.shard.parking.let_go(batch.keys)
        self._holdings.groups += 1
        self._refused.clear()
        self._observer.committed([handled.changes for handled in group.parts], now + self._holdings.clock_offset)
        kept = {handled.shard.name: handled.changes.positions for handled in group.parts}
        for batch in group.batches:
            if batch.shard.name in kept:
                self._acknowledge(batch, kept[batch.shard.name])
        return self._rest(group, now)

    def _acknowledge(self, batch: Batch, committed: dict[str, Position]) -> None:
        """Cumulative, up to what the commit says (R10): all at or below it came in order and has a disposition."""
        for feed, deliveries in batch.deliveries:
            position = feed.reached(deliveries[-1].position)
            if committed.get(feed.name) != position:
                message = (
                    f"shard {batch.shard.name}: about to acknowledge {position} of {feed.name}, but "
                    f"{committed.get(feed.name)} is committed"
                )
                raise BrokenPromise(message)
            feed.applied = position
            feed.seen = max(feed.seen, deliveries[-1].published_at)
            feed.source.acknowledge(position)

    # what can go wrong on the way

    def _go(self, group: Group, phase: Callable[[Instant], Next], name: str, now: Instant) -> Next:
        self._group = group
        self._phase = phase
        self._points.reach(f"phase:{name}")
        return Next(now)

    def _hand(self) -> Group:
        if self._group is None:
            message = "a phase ran without a group"
            raise BrokenPromise(message)
        return self._group

    def _rest(self, group: Group, now: Instant) -> Next:
        for batch in group.batches:
            batch.shard.in_turn = False
        self._choice.hold()
        self._group = None
        self._phase = self._take
        self._points.reach("phase:idle")
        return Next(now)

    def _hold(self, why: str, now: Instant) -> Next:
        """The store is away: the same phase again, later."""
        for batch in self._hand().batches:
            self._observer.waiting(batch.shard.name, why, Wait.STORE)
        self._not_before = now + micros(self._limits.store_retry)
        return Next(self._not_before)

    def _abandon(self, group: Group, why: str, now: Instant, on: Wait = Wait.STORE) -> Next:
        """Give everything back and begin anew, later; nothing has been written."""
        self._choice.give_back()
        for batch in group.batches:
            self._observer.waiting(batch.shard.name, why, on)
            batch.give_back()
        self._not_before = now + micros(self._limits.store_retry)
        self._rest(group, now)
        return Next(self._not_before)

    def _wait(self, group: Group, batch: Batch, why: str, now: Instant) -> None:
        """R30: a schema cannot be fetched. The shard waits; the others go on."""
        self._observer.waiting(batch.shard.name, why, Wait.SCHEMA)
        batch.shard.waits_until = now + micros(self._limits.schema_retry)
        group.leave_out(batch)

    def disband(self) -> None:
        """The worker ends: what the group in hand took goes back, so that its askers are told with the others."""
        self._choice.give_back()
        for batch in self._group.batches if self._group is not None else ():
            batch.give_back()

    def _lose(self, group: Group, shard: Shard, why: str, loss: Loss) -> None:
        for handled in group.parts:
            if handled.shard is shard:
                for reply, _ in (*handled.replies, *handled.refusals):
                    reply.set_exception((ShardLost, ShardLost(f"shard {shard.name} is lost: {why}"), None))
        for batch in group.batches:
            if batch.shard is shard:
                batch.mail.clear()
        group.parts = [handled for handled in group.parts if handled.shard is not shard]
        shard.in_turn = False
        self._holdings.lose(shard, why, loss)
        self._choice.lose(shard)
