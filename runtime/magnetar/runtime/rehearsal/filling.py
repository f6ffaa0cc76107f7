"""Trials as rows, written through the store's port as their release would have written them."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec

from magnetar.runtime import envelope as wire
from magnetar.runtime.identity import foreign, to_text
from magnetar.runtime.instant import to_iso
from magnetar.runtime.rehearsal.trials import Left, Trial, Way
from magnetar.runtime.routing import partition_of
from magnetar.runtime.store.effects import EffectRow, EffectState
from magnetar.runtime.store.parking import DeadLetter, LetterStatus, ParkedKey, ParkedRow, Reason
from magnetar.runtime.store.port import (
    Disposition,
    JournalRow,
    OutboxRow,
    ShardChanges,
    StateRow,
    StateWrite,
    Taker,
    TimerRow,
)
from magnetar.runtime.store.requests import Request, RequestStatus, What
from magnetar.runtime.worker.arrival import TIMER
from magnetar.runtime.worker.asked import LETTER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.port import ShardName, Store
    from magnetar.runtime.wiring import Wiring

RELEASE = "an earlier release"
"""Who has owned the shards before, and asks for letters to be replayed."""

TIMER_NAME = "left"


def state_row(trial: Trial, left: Left, shard: ShardName, now: Instant) -> StateRow:
    """The key's state."""
    return StateRow(trial.actor, trial.key, shard, 1, left.fingerprint, left.body, now)


def timer_row(trial: Trial, shard: ShardName, now: Instant) -> TimerRow:
    """A timer that is due."""
    left = trial.message
    return TimerRow(
        trial.actor, trial.key, TIMER_NAME, shard, trial.id, now, trial.type, left.fingerprint, left.body, "", ""
    )


def parked_row(trial: Trial, shard: ShardName, now: Instant) -> ParkedRow:
    """A message that waits alone for its key."""
    left, timer = trial.message, TIMER_NAME if trial.source == TIMER else ""
    return ParkedRow(
        trial.actor, trial.key, 1, shard, trial.id, trial.type, left.fingerprint, left.body, trial.source, "", "", "",
        now, now, "{}", timer, now,
    )  # fmt: skip


def effect_row(trial: Trial, shard: ShardName, dependency: str, now: Instant) -> EffectRow:
    """An effect that nobody has begun."""
    left = trial.message
    return EffectRow(
        trial.actor, trial.id, shard, trial.key, dependency, trial.type, left.fingerprint, left.body, "", "", now,
        EffectState.ASKED.value, 0, 0, now, "", "",
    )  # fmt: skip


class Filling:
    """What one release has left: rows by shard. One commit each."""

    def __init__(self, wiring: Wiring, now: Instant) -> None:
        """Of an app, at an instant."""
        self._wiring = wiring
        self._now = now
        self._shards: defaultdict[ShardName, list[Trial]] = defaultdict(list)
        self.requests: list[Request] = []

    def write(self, store: Store, trials: Sequence[Trial]) -> None:
        """Own each shard, leave what was left, and go in order."""
        store.remember({left.fingerprint: left.text for each in trials for left in (each.message, each.state) if left})
        for trial in trials:
            self._shards[self.shard_of(trial)].append(trial)
        for shard, found in self._shards.items():
            row = store.take(shard, store.standings([shard])[shard].epoch, Taker(RELEASE))
            assert row is not None, f"{shard} belongs to a store of our own, and nobody else takes it"
            changes = ShardChanges(shard, row.epoch, row.commits, row.lane, row.floor)
            for trial in found:
                self._enter(changes, trial)
            store.commit([changes])
            store.release(shard, row.epoch, RELEASE)

    def shard_of(self, trial: Trial) -> ShardName:
        """Where the trial's key lives."""
        return f"{trial.actor}/{partition_of(trial.key, self._wiring.actors[trial.actor].policy.partitions)}"

    def _enter(self, changes: ShardChanges, trial: Trial) -> None:
        shard, now = changes.shard, self._now
        if trial.state is not None:
            changes.states.append(StateWrite(state_row(trial, trial.state, shard, now), 0))
        if trial.way is Way.TIMER or (trial.way is Way.PARKED and trial.source == TIMER):
            changes.armed.append(timer_row(trial, shard, now))
        match trial.way:
            case Way.PARKED:
                self._park(changes, trial)
            case Way.LETTER:
                self._bury(changes, trial)
            case Way.UNSENT:
                self._leave_unsent(changes, trial)
            case Way.EFFECT:
                dependency = self._wiring.actors[trial.actor].effects[trial.type].dependency.name
                changes.to_ask().asked.append(effect_row(trial, shard, dependency, now))
            case Way.TIMER:
                pass

    def _park(self, changes: ShardChanges, trial: Trial) -> None:
        row = parked_row(trial, changes.shard, self._now)
        key = ParkedKey(
            trial.actor, trial.key, changes.shard, Reason.UNREAD.value, 1, 1, 0, self._now, "", "", self._now
        )
        changes.journal.append(_journal(row, Disposition.PARKED))
        changes.to_park().parked.append(row)
        changes.to_park().parked_keys.append(key)

    def _bury(self, changes: ShardChanges, trial: Trial) -> None:
        """A dead letter, and somebody who asks for it to be tried again."""
        row = parked_row(trial, changes.shard, self._now)
        changes.journal.append(_journal(row, Disposition.DEAD))
        changes.to_park().dead.append(
            DeadLetter(
                row.actor, row.message_id, row.shard, row.key, *row[5:16], "Refused", "by its release", "", 1, 0,
                self._now, LetterStatus.DEAD.value,
            )
        )  # fmt: skip
        arguments = msgspec.json.encode({LETTER: to_text(trial.id)}).decode()
        self.requests.append(
            Request(
                foreign(f"replay of {trial.number}"), changes.shard, What.REPLAY.value, trial.key, arguments, RELEASE,
                "rehearsal", self._now, RequestStatus.ASKED.value, "", None, None,
            )
        )  # fmt: skip

    def _leave_unsent(self, changes: ShardChanges, trial: Trial) -> None:
        topic = self._wiring.topics[trial.source.rpartition("/")[0]]
        properties = {
            wire.MESSAGE_ID: to_text(trial.id),
            wire.TYPE: trial.type,
            wire.SCHEMA: trial.message.fingerprint,
            wire.OCCURRED_AT: to_iso(self._now),
            wire.SENDER: changes.shard,
        }
        changes.lane += 1
        partition = partition_of(trial.key, topic.partitions or 1)
        text = msgspec.json.encode(properties).decode()
        changes.outbox.append(
            OutboxRow(changes.shard, changes.lane, topic.name, partition, trial.key, trial.message.body, text)
        )


def _journal(row: ParkedRow, disposition: Disposition) -> JournalRow:
    return JournalRow(
        row.actor, row.message_id, row.shard, row.key, disposition.value, row.type, row.schema, row.body, row.source,
        "", "", "", row.occurred_at, row.published_at, row.parked_at, RELEASE, 0, b"", "[]", None, None,
    )  # fmt: skip
