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
from typing import TYPE_CHECKING

from magnetar.runtime.errors import BrokenPromise, MisuseError, ShardLost, Unhandleable
from magnetar.runtime.identity import mint
from magnetar.runtime.instant import SECOND, Instant, micros
from magnetar.runtime.store.port import CommitRejected, CommitUnknown, StoreUnavailable, VersionConflict
from magnetar.runtime.worker.arrival import Arrival, from_mail, from_told
from magnetar.runtime.worker.asked import look_up
from magnetar.runtime.worker.batch import Batch, Group, gather, refuse
from magnetar.runtime.worker.commit import advance, read_back
from magnetar.runtime.worker.entity import Entity
from magnetar.runtime.worker.handling import Handled, handle
from magnetar.runtime.worker.machine import NEVER, Means, Next
from magnetar.runtime.worker.notices import tell
from magnetar.runtime.worker.observer import Loss, Wait
from magnetar.schemas import EncodeFailed, SchemaUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from magnetar.runtime.bus.port import Position
    from magnetar.runtime.store.port import StateRow
    from magnetar.runtime.worker.batch import Limits, Suspect
    from magnetar.runtime.worker.handling import Place
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
        self._noise = noise
        self._limits = limits
        self._group: Group | None = None
        self._phase: Callable[[Instant], Next] = self._take
        self._one_by_one = 0
        self._refused: dict[bytes, str] = {}
        self._start = 0
        self._not_before: Instant = 0
        self._tidy_at: Instant | None = None
        self._pressed = False

    @property
    def idle(self) -> bool:
        """Whether no group is in hand."""
        return self._group is None

    @property
    def pressed(self) -> bool:
        """Whether the last group was half of what one may hold, or more: what waits is worth a hurry."""
        return self._pressed

    @property
    def batches(self) -> list[Batch]:
        """What the group in hand was taken from. Any thread; a snapshot."""
        group = self._group
        return [] if group is None else list(group.batches)

    def step(self, now: Instant) -> Next:
        """One phase, unless a retry is not due yet."""
        return Next(self._not_before) if now < self._not_before else self._phase(now)

    # Idle → Taken

    def _take(self, now: Instant) -> Next:
        shards = [shard for shard in self._holdings.shards() if not shard.stopping]
        self._start = (self._start + 1) % max(1, len(shards))
        room = 1 if self._one_by_one else self._limits.group
        batches = gather(shards[self._start :] + shards[: self._start], room, now)
        if batches:
            group = Group(batches)
            self._pressed = 2 * group.size >= self._limits.group
            return self._go(group, self._know, "taken", now)
        waits = [Next(shard.waits_until) for shard in shards if shard.waits_until > now]
        return Next.first(self._tidy(shards, now), *waits)

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
        group = self._hand()
        for batch in list(group.batches):
            try:
                self._decode(batch, now + self._holdings.clock_offset)
                self._recall(batch)
            except SchemaUnavailable as error:
                self._wait(group, batch, str(error), now)
            except StoreUnavailable as error:
                return self._abandon(group, str(error), now)
        fresh = self._reader.fresh()
        try:
            if fresh:
                self._store.remember(fresh)
            known = self._known(group)
        except (StoreUnavailable, CommitUnknown) as error:
            self._reader.keep(fresh)
            return self._abandon(group, str(error), now)
        for batch in group.batches:
            self._drop_known(batch, known[batch.shard.plan.name])
        return self._go(group, self._load, "known", now)

    def _decode(self, batch: Batch, instant: Instant) -> None:
        """`instant` is by the store's clock: letters are published now."""
        shard, skipped = batch.shard, 0
        batch.arrivals = [self._reader.timer(shard.plan, row) for row in batch.due]
        batch.arrivals += [from_told(told, instant) for told in batch.told]
        waiting, batch.mail = batch.mail, []
        for mail in waiting:
            try:
                batch.arrivals.append(from_mail(shard.plan, mail, mint(instant, self._noise), instant))
                batch.mail.append(mail)
            except (MisuseError, EncodeFailed) as error:
                refuse(mail, error)
        for feed, deliveries in batch.deliveries:
            for delivery in deliveries:
                arrival = self._reader.read(shard, feed, delivery)
                if arrival is None:
                    skipped += 1
                else:
                    batch.arrivals.append(arrival)
        if skipped:
            self._observer.skipped(shard.plan.name, skipped)

    def _recall(self, batch: Batch) -> None:
        """Of each parked key whose time has come the head, and what waits behind it, as far as one group goes."""
        plan, limit = batch.shard.plan, 1 if self._one_by_one else self._limits.tail
        batch.tails = []
        if batch.request is not None:
            batch.asked = look_up(self._store, self._reader, batch.shard, batch.request)
        for name in batch.keys:
            key = batch.shard.parking.keys[name]
            rows = self._store.parked(plan.name, name, key.first, limit)
            batch.tails += [
                self._reader.parked(plan, row, key.failures if row.ordinal == key.first else 0) for row in rows
            ]

    def _known(self, group: Group) -> dict[str, set[bytes]]:
        """Actor → ids of this group's arrivals that its journal knows; one question for all of them."""
        asked: dict[str, list[bytes]] = {}
        for batch in group.batches:
            ids = asked.setdefault(batch.shard.plan.name, [])
            ids.extend(arrival.message_id for arrival in batch.arrivals)
        wanted = {actor: ids for actor, ids in asked.items() if ids}
        told = self._store.dispositions(wanted) if wanted else {}
        return {actor: set(told.get(actor, ())) for actor in asked}

    def _drop_known(self, batch: Batch, known: set[bytes]) -> None:
        """R2: what has a disposition, or came twice in this group, is ignored."""
        fresh: list[Arrival] = []
        for arrival in batch.arrivals:
            if arrival.message_id not in known:
                known.add(arrival.message_id)
                fresh.append(arrival)
        if len(fresh) < len(batch.arrivals):
            self._observer.duplicates(batch.shard.plan.name, len(batch.arrivals) - len(fresh))
        batch.arrivals = batch.tails + fresh if batch.tails else fresh

    # Known → Loaded

    def _load(self, now: Instant) -> Next:
        group = self._hand()
        homes: dict[str, dict[str, Shard]] = {}
        for batch in group.batches:
            shard = batch.shard
            missing = {arrival.key for arrival in batch.involved()} - shard.entities.keys()
            homes.setdefault(shard.plan.name, {}).update((key, shard) for key in missing if shard.houses(key))
        try:
            wanted = {actor: sorted(keys) for actor, keys in homes.items() if keys}
            told = self._store.states(wanted) if wanted else {}
        except StoreUnavailable as error:
            return self._abandon(group, str(error), now)
        for actor, rows in told.items():
            self._settle(rows, homes[actor])
        return self._go(group, self._handle, "loaded", now)

    def _settle(self, rows: Iterable[StateRow], keys: dict[str, Shard]) -> None:
        for row in rows:
            shard = keys[row.key]
            entity = Entity(shard, row.key, self._reader.state(shard.plan, row), row.version)
            entity.touched = row.changed_at // SECOND
            shard.settle(entity)

    # Loaded → Handled

    def _handle(self, now: Instant) -> Next:
        group = self._hand()
        group.parts = [self._handled(batch, now) for batch in group.batches]
        return self._go(group, self._commit, "handled", now)

    def _handled(self, batch: Batch, now: Instant) -> Handled:
        instant = now + self._holdings.clock_offset
        handled = handle(batch.shard, self._place, instant, batch.arrivals, self._refused, batch.asked)
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
        self._one_by_one = group.size
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
        self._one_by_one = max(0, self._one_by_one - 1)
        for handled in group.parts:
            tell(handled)
            advance(handled.shard, handled)
            for reply, state in handled.replies:
                reply.set(state)
            for reply, error in handled.refusals:
                reply.set_exception((type(error), error, None))
        for batch in group.batches:
            batch.mail.clear()
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
        batch.give_back()
        group.batches.remove(batch)

    def disband(self) -> None:
        """The worker ends: what the group in hand took goes back, so that its askers are told with the others."""
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
