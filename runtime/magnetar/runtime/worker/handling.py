"""Arrivals → one shard's part of a group.

Pure: nothing in memory changes here (R7), and the same input gives the same bytes (R5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from magnetar.runtime.context import Context
from magnetar.runtime.errors import BrokenPromise, Crashed, HandlerFailed, KeyParked, MisuseError, PermanentError
from magnetar.runtime.instant import Instant, to_iso
from magnetar.runtime.store.port import Disposition, GoneTimer, ShardChanges, StateRow, StateWrite, TimerRow
from magnetar.runtime.worker.asking import Asking
from magnetar.runtime.worker.asserting import check_versions
from magnetar.runtime.worker.decisions import Decisions, Told, told_of
from magnetar.runtime.worker.entries import JournalPlace, journal_row
from magnetar.runtime.worker.executing import Executing
from magnetar.runtime.worker.failing import Again, Crowded, Later, Unread, decide, decide_crash
from magnetar.runtime.worker.part import Handled, Place
from magnetar.runtime.worker.posting import Posting
from magnetar.runtime.worker.waiting import Waiting, describe
from magnetar.schemas import EncodeFailed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from magnetar.runtime.store.parking import ParkedKey
    from magnetar.runtime.worker.arrival import Arrival
    from magnetar.runtime.worker.asked import Asked
    from magnetar.runtime.worker.shard import Shard
    from magnetar.schemas import Message, State

_APPLIED = Disposition.APPLIED.value  # reading `.value` costs 0.2 µs


class _StateUnencodable(Exception):
    """A key's last state of a group does not fit its schema: one of its messages is to blame."""


def handle(
    shard: Shard,
    place: Place,
    now: Instant,
    arrivals: list[Arrival],
    refused: Mapping[bytes, str] | None = None,
    asked: Asked | None = None,
) -> Handled:
    """Handle arrivals in order into a shard's part of a group.

    `now` is the group's instant by the store's clock; it never falls below the shard's last (R5). `refused`: ids of
    messages that the store has refused for their content, and why (R9): they fail for good. `asked` is executed first.
    """
    try:
        return Handling(shard, place, now, refused or {}, closely=False).run(arrivals, asked)
    except _StateUnencodable:  # states are encoded once per key and group, unless one has to be found out
        return Handling(shard, place, now, refused or {}, closely=True).run(arrivals, asked)


class Handling:
    """One object per shard and group."""

    def __init__(
        self, shard: Shard, place: Place, now: Instant, refused: Mapping[bytes, str], *, closely: bool
    ) -> None:
        self._shard = shard
        self._plan = shard.plan
        self._place = place
        self._refused = refused
        self._closely = closely
        self._now = max(now, shard.floor)
        self._iso = to_iso(self._now)
        self._timers: dict[tuple[str, str], TimerRow | None] = {}  # what this group made of a timer; None: gone
        self._fired: dict[tuple[str, str], GoneTimer] = {}
        changes = ShardChanges(shard.name, shard.epoch, shard.commits, shard.lane_number, self._now)
        self._changes = changes
        self._handled = Handled(shard, changes)
        self._posting = Posting(changes)
        self._asking = Asking(shard, changes)
        self._decisions = Decisions(shard.name, shard.plan, place, self._posting)
        self._waiting = Waiting(shard, changes, self._posting, place.code)

    def run(self, arrivals: Iterable[Arrival], asked: Asked | None = None) -> Handled:
        """Handle them all, after what a person has asked for."""
        stint = self._place.stint
        stint.count += 1
        stint.deadline = self._plan.policy.deadline
        if asked is not None:
            executing = Executing(self, self._shard, self._changes, self._waiting, self._now, edits=self._place.edits)
            self._handled.unfinished = executing.run(asked, self._refused)
        for arrival in arrivals:
            stint.count += 1
            if arrival.ordinal is not None:
                self._go_on(arrival)
            elif arrival.timer is not None and not self._still_armed(arrival.timer):
                self._handled.stale += 1
            elif arrival.crashes and self._is_dead(arrival):
                self._crash(arrival)
            elif arrival.timer is None and not self._shard.houses(arrival.key):
                self._rehome(arrival)
            elif (parked := self._waiting.parked(arrival.key)) is not None:
                self._join(arrival, parked)
            else:
                self._attempt(arrival)
        stint.deadline = None
        return self._finish()

    def _still_armed(self, timer: TimerRow) -> bool:
        """R26: this very generation, and this group has not touched it yet."""
        return (timer.key, timer.name) not in self._timers and self._shard.timetable.is_armed(timer)

    # one message

    def _attempt(self, arrival: Arrival) -> None:
        """Apply it, or let it wait, or bury it; whatever it had decided before it failed is taken back."""
        is_whole = arrival.message is not None or isinstance(arrival.problem, Crashed)
        if arrival.crashes and is_whole and self._crash(arrival):
            return
        if isinstance(arrival.problem, Unread) and arrival.key:
            self._set_aside(arrival, arrival.problem)
            return
        if arrival.envelope.type in self._shard.pauses and arrival.key:
            self._stop(arrival)
            return
        failures = arrival.failures
        while (error := self.tried(arrival, failures)) is not None:
            if isinstance(error, Crowded):
                self._set_aside(arrival, error)
                return
            failures += 1
            if not self._fail(arrival, error, failures):
                return

    def tried(self, arrival: Arrival, failures: int) -> Exception | None:
        """Apply it once more, after so many failures; returns what it has failed with, all else being taken back."""
        lane, rows = self._changes.lane, len(self._changes.rows)
        try:
            self._apply(arrival, failures)
        except BrokenPromise:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a handler raises is its message's failure
            self._posting.take_back(lane)
            del self._changes.rows[rows:]
            return error
        return None

    def _apply(self, arrival: Arrival, failures: int) -> None:
        message = self._readable(arrival)
        if arrival.timer is not None and arrival.timer.due > self._now:
            self._pass(arrival.timer.due)
        state, version = self._current(arrival.key)
        envelope = arrival.envelope if not failures else replace(arrival.envelope, attempt=failures)
        context = Context(arrival.key, arrival.message_id, self._now, envelope)
        state = self._call(message, state, context)
        effects = self._asking.effects(arrival, context, self._now) if context.asked else []
        told = self._decided(arrival, context)
        if self._closely:
            self._plan.codec.encode(state)
        told += self._asking.ask(effects)  # nothing can fail from here on
        version += 1
        if arrival.timer is not None:
            self._fire(arrival.timer)
        self._record(arrival, _APPLIED, told, version, state)
        self._handled.states[arrival.key] = (state, version)
        if arrival.ordinal is not None:
            self._waiting.advance(arrival, self._now)
        if arrival.reply is not None:
            self._handled.replies.append((arrival.reply, state))

    def _readable(self, arrival: Arrival) -> Message:
        if self._refused and (why := self._refused.get(arrival.message_id)) is not None:
            raise PermanentError(why)
        if arrival.message is None:
            raise PermanentError(str(arrival.problem))
        return arrival.message

    def _pass(self, instant: Instant) -> None:
        """A timer that fired is due: where the store's clock was put back meanwhile, time goes on from there (R5)."""
        self._now = self._changes.floor = instant
        self._iso = to_iso(instant)

    def _current(self, key: str) -> tuple[State, int]:
        known = self._handled.states.get(key)
        if known is not None:
            return known
        entity = self._shard.entities.get(key)
        return (self._plan.initial, 0) if entity is None else (entity.state, entity.version)

    def _version(self, key: str) -> int:
        """Of the key's state as it is: where in its timeline a message stands that was not applied."""
        return self._current(key)[1]

    def _call(self, message: Message, state: State, context: Context) -> State:
        result = self._plan.handlers[type(message)](state, message, context)
        if type(result) is not self._plan.state:
            kind, wanted = type(result).__name__, self._plan.state.__name__
            raise MisuseError(f"the handler returned {kind}, not {wanted}; return the new state")
        return result

    def _decided(self, arrival: Arrival, context: Context) -> list[Told]:
        """Rows for all that the handler decided; returns what the timeline tells of it."""
        told = self._decisions.sent(arrival, context, self._iso)
        self._changes.rows += self._decisions.rows(arrival, context)
        if context.armed or context.cancelled:
            timers = self._decisions.timers(arrival, context)
            self._timers.update({(arrival.key, name): timer for name, timer in timers.items()})
            told += told_of(context, timers)
        return told

    def _fire(self, timer: TimerRow) -> None:
        """The timer's row goes in this commit. A handler may have armed the same name anew: that one stays."""
        place = (timer.key, timer.name)
        self._timers.setdefault(place, None)
        self._fired[place] = GoneTimer(self._plan.name, timer.key, timer.name, timer.generation, must_exist=True)

    # one that cannot be applied now

    def _fail(self, arrival: Arrival, error: Exception, failures: int) -> bool:
        """Write the failure down, and decide what becomes of its message; True: it is tried again at once."""
        failed = self._failed(arrival, error)
        self._handled.failed.append(failed)
        self._waiting.note(arrival, error, failures, self._now)
        retry = self._plan.policy.retry
        decision = decide(error, failures, retry, self._plan.retries, arrival.message_id, self._now)
        if isinstance(decision, Again):
            return True
        if isinstance(decision, Later):
            self._waiting.park(arrival, error, failures, decision, self._now)
            self._parked(arrival)
        else:
            self._bury(arrival, error, failures, hold=retry.afterwards == "hold" and bool(arrival.key))
        self._refuse(arrival, failed)
        return False

    def _crash(self, arrival: Arrival) -> bool:
        """R24: it has taken a worker with it, and comes for the first time since. It waits, or dies, unhandled.

        False: it is tried again at once.
        """
        error, plan = Crashed(arrival.crashes), self._plan
        decision = decide_crash(arrival.crashes, plan.policy.retry, plan.retries, arrival.message_id, self._now)
        if isinstance(decision, Again):
            return False
        if isinstance(decision, Later):
            self._waiting.park(arrival, error, arrival.failures, decision, self._now)
            self._parked(arrival)
        else:
            hold = plan.policy.retry.afterwards == "hold" and bool(arrival.key)
            self._bury(arrival, error, arrival.failures, hold=hold)
        self._handled.crashed.append(arrival)
        return True

    def _is_dead(self, arrival: Arrival) -> bool:
        return arrival.crashes >= self._plan.policy.retry.crashes

    def _bury(self, arrival: Arrival, error: Exception, failures: int, *, hold: bool) -> None:
        if arrival.timer is not None:
            self._fire(arrival.timer)
        self._waiting.bury(arrival, error, failures, self._now, hold=hold)
        self._record(arrival, Disposition.DEAD.value, [], self._version(arrival.key), None)

    def _set_aside(self, arrival: Arrival, error: Unread | Crowded) -> None:
        self._waiting.set_aside(arrival, error, self._now)
        self._parked(arrival)
        self._refuse(arrival, error)

    def _parked(self, arrival: Arrival) -> None:
        """It has a disposition from now on; one that was parked before has it already (R2)."""
        if arrival.ordinal is None:
            self._record(arrival, Disposition.PARKED.value, [], self._version(arrival.key), None)

    def _stop(self, arrival: Arrival) -> None:
        self._waiting.stop(arrival, self._now)
        self._parked(arrival)
        self._refuse(arrival, KeyParked(self._plan.name, arrival.key, f"its type {arrival.envelope.type} is paused"))

    def _join(self, arrival: Arrival, key: ParkedKey) -> None:
        self._waiting.join(arrival, key, self._now)
        self._parked(arrival)
        self._refuse(arrival, KeyParked(self._plan.name, arrival.key, describe(key)))

    def _refuse(self, arrival: Arrival, error: Exception) -> None:
        """Who has asked in this process is told now; what was asked is not forgotten."""
        if arrival.reply is not None:
            self._handled.refusals.append((arrival.reply, error))

    def _failed(self, arrival: Arrival, error: Exception) -> HandlerFailed:
        envelope = arrival.envelope
        failed = HandlerFailed(self._plan.name, arrival.key, envelope.type, envelope.message_id, error)
        failed.__cause__ = error
        return failed

    # a parked one whose time has come

    def _go_on(self, arrival: Arrival) -> None:
        """The head again, or the next of the tail; not what is behind one that has failed in this group."""
        if not self._waiting.may_go_on(arrival, self._now):
            return
        if arrival.timer is not None and not self._still_armed(arrival.timer):
            self._handled.stale += 1
            self._record(arrival, Disposition.SKIPPED.value, [], self._version(arrival.key), None)
            self._waiting.advance(arrival, self._now)
        else:
            self._attempt(arrival)

    # what a person asks for (R27)

    def give_up(self, arrival: Arrival, disposition: Disposition) -> None:
        """It is never applied; a timer goes with it, if it is still armed."""
        if arrival.timer is not None and self._still_armed(arrival.timer):
            self._fire(arrival.timer)
        self._record(arrival, disposition.value, [], self._version(arrival.key), None)

    def fail_again(self, arrival: Arrival, error: Exception, failures: int) -> None:
        """A dead letter was tried once more: one more line in its ledger."""
        self._handled.failed.append(self._failed(arrival, error))
        self._waiting.note(arrival, error, failures, self._now)

    def go_on(self, key: str) -> None:
        """The key's head is tried as soon as this is committed, without a bell."""
        self._waiting.lift(key, self._now)
        self._handled.lifted.append(key)

    # one that came to the wrong place

    def _rehome(self, arrival: Arrival) -> None:
        """R31: send it on to the partition of its key, once; the journal remembers that this copy is done with."""
        try:
            told = self._decisions.rehomed(arrival, self._homeless(arrival))
        except (MisuseError, EncodeFailed, PermanentError) as error:
            self._handled.failed.append(self._failed(arrival, error))
            self._waiting.note(arrival, error, 1, self._now)
            self._bury(arrival, error, 1, hold=False)
            return
        self._record(arrival, Disposition.REHOMED.value, [told], 0, None)
        self._handled.rehomed += 1

    def _homeless(self, arrival: Arrival) -> Message:
        if arrival.message is None:
            raise PermanentError(str(arrival.problem))
        if arrival.rehomed or self._plan.sources[0].name != self._plan.name:
            here = f"it came to partition {self._shard.partition}, where its key does not belong, on a second hop"
            raise PermanentError(f"{here}; the topic's partition count or hash differs from the declared one")
        return arrival.message

    # rows

    def _record(self, arrival: Arrival, disposition: str, told: list[Told], version: int, state: State | None) -> None:
        """A disposition: a journal row, or of what was parked the row that is there already."""
        is_new = arrival.ordinal is None and not arrival.buried
        rows = self._changes.journal if is_new else self._changes.to_park().settled
        place = JournalPlace(self._shard.name, self._plan, self._place.code, self._now)
        rows.append(journal_row(place, arrival, disposition, told, version, state))
        if arrival.effect is not None:
            self._asking.close(arrival.effect)

    def _finish(self) -> Handled:
        changes, plan, shard = self._changes, self._plan, self._shard
        for key, (state, version) in self._handled.states.items():
            entity = shard.entities.get(key)
            body = self._encoded(state)
            row = StateRow(plan.name, key, shard.name, version, plan.codec.schema.fingerprint, body, self._now)
            changes.states.append(StateWrite(row, 0 if entity is None else entity.version))
        self._finish_timers()
        self._waiting.finish()
        check_versions(changes)
        return self._handled

    def _encoded(self, state: State) -> bytes:
        """Encoded once per key and group."""
        try:
            return self._plan.codec.encode(state)
        except EncodeFailed as error:
            if self._closely:
                raise
            raise _StateUnencodable from error

    def _finish_timers(self) -> None:
        changes = self._changes
        changes.gone.extend(self._fired.values())
        for (key, name), timer in self._timers.items():
            if timer is not None:
                changes.armed.append(timer)
            elif (key, name) not in self._fired:
                changes.gone.append(GoneTimer(self._plan.name, key, name, b"", must_exist=False))
