"""Any history of owners, groups, conflicts and restarts leaves a store as a few dictionaries would be."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from magnetar.runtime.bus.port import Position
from magnetar.runtime.store.parking import Unparked
from magnetar.runtime.store.port import Disposition, ShardChanges, StateWrite, Taker, VersionConflict
from magnetar.runtime.store.sqlite import SqliteFile, SqliteMemory
from magnetar.runtime.store.views import Load
from tests.contract.store.asking import effect_row, follow, in_order, spoil, step
from tests.contract.store.harness import ACTOR, PARTITIONS
from tests.contract.store.postgres_harness import PostgresHarness
from tests.contract.store.rows import (
    cancelled,
    dead_letter,
    failure_row,
    fired,
    journal_row,
    outbox_row,
    parked_key,
    parked_row,
    state_row,
    timer_row,
)
from tests.contract.store.sqlite_harness import SqliteHarness

if TYPE_CHECKING:
    from magnetar.runtime.store.effects import EffectRow
    from magnetar.runtime.store.parking import DeadLetter, FailureRow, ParkedKey, ParkedRow, Parking
    from magnetar.runtime.store.port import JournalRow, OutboxRow, StateRow, Store, TimerRow
    from tests.contract.store.postgres_harness import PostgresDatabases

SHARDS = [f"{ACTOR}/{number}" for number in range(PARTITIONS)]
FAR = 10**18
WRONG_EFFECTS = ("asked twice", "attempt", "closed")


@dataclass
class Shard:
    """What the store should hold of a shard."""

    epoch: int = 0
    owner: str = ""
    commits: int = 0
    lane: int = 0
    clean: bool = True
    positions: dict[str, Position] = field(default_factory=dict)
    outbox: dict[int, OutboxRow] = field(default_factory=dict)
    timers: dict[tuple[str, str], TimerRow] = field(default_factory=dict)
    states: dict[str, StateRow] = field(default_factory=dict)
    journal: dict[bytes, JournalRow] = field(default_factory=dict)
    waiting: dict[str, list[ParkedRow]] = field(default_factory=dict)
    parked: dict[str, ParkedKey] = field(default_factory=dict)
    failures: dict[bytes, list[FailureRow]] = field(default_factory=dict)
    dead: dict[bytes, DeadLetter] = field(default_factory=dict)
    effects: dict[bytes, EffectRow] = field(default_factory=dict)

    def remove(self, sent: tuple[int, int] | None) -> None:
        """Rows of the lane, (from, to], that were sent."""
        if sent is not None:
            self.outbox = {number: row for number, row in self.outbox.items() if not sent[0] < number <= sent[1]}


class StoreModel(RuleBasedStateMachine):
    """Two workers with a store each, on one database; each knows the epoch and counter it last saw."""

    def __init__(self) -> None:
        super().__init__()
        self.shards = {name: Shard() for name in SHARDS}
        self.seen: dict[tuple[int, str], tuple[int, int]] = {}
        self.next_message = 1
        self.folder = tempfile.TemporaryDirectory()
        self.harness = self.database()
        self.stores: list[Store] = [self.harness.open(), self.harness.open()]
        for store in self.stores:
            store.prepare({ACTOR: PARTITIONS}, [])
        self.views = self.harness.views()

    def database(self) -> SqliteHarness | PostgresHarness:
        """The adapter under test, on a database of its own."""
        return SqliteHarness(SqliteMemory())

    @rule(worker=st.integers(0, 1), shard=st.sampled_from(SHARDS), behind=st.booleans())
    def take(self, worker: int, shard: str, behind: bool) -> None:  # noqa: FBT001 - drawn by position
        """A worker takes a shard, or comes too late for it."""
        model = self.shards[shard]
        row = self.stores[worker].take(shard, model.epoch - behind, Taker(str(worker)))
        if behind:
            assert row is None
            return
        assert row is not None
        assert (row.clean, row.positions) == (model.clean, model.positions)
        model.epoch, model.owner, model.clean = model.epoch + 1, str(worker), False
        self.seen[worker, shard] = row.epoch, row.commits

    @rule(data=st.data(), worker=st.integers(0, 1), shard=st.sampled_from(SHARDS))
    def release(self, data: st.DataObject, worker: int, shard: str) -> None:
        """A worker lets a shard go, if it still has it, and with it some rows that were sent."""
        epoch, _ = self.seen.get((worker, shard), (-1, 0))
        model = self.shards[shard]
        sent = self.some_sent(data, model) if data.draw(st.booleans()) else None
        assert self.stores[worker].release(shard, epoch, str(worker), sent) == (epoch == model.epoch)
        if epoch == model.epoch:
            model.owner, model.clean = "", True
            model.remove(sent)

    @rule(worker=st.integers(0, 1), how=st.sampled_from(["reconnect", "die", "die in a commit"]))
    def restart(self, worker: int, how: str) -> None:
        """A worker's connection or process is replaced; the data stays."""
        if how == "reconnect":
            self.stores[worker].reconnect()
            return
        if how == "die":
            self.harness.die(self.stores[worker])
        else:
            group = [
                ShardChanges(name, shard.epoch, shard.commits, shard.lane, 0) for name, shard in self.shards.items()
            ]
            self.harness.die_before_commit(self.stores[worker], group)
        self.stores[worker] = self.harness.open()

    @rule(
        data=st.data(),
        worker=st.integers(0, 1),
        wrong=st.sampled_from(
            [*[None] * 5, "state", "journal", "timer", "settled", "place", "range", "dead", *WRONG_EFFECTS]
        ),
    )
    def commit(self, data: st.DataObject, worker: int, wrong: str | None) -> None:
        """A worker commits a group; some of its shards may be lost, and one row may contradict the store."""
        known = [shard for shard in SHARDS if (worker, shard) in self.seen]
        names = data.draw(st.lists(st.sampled_from(known), unique=True) if known else st.just([]))
        group = [self.changes(data, worker, name) for name in names]
        refused = {each.shard for each in group if each.epoch != self.shards[each.shard].epoch}
        spoiled = next((each for each in group if each.shard not in refused and self.spoil(each, wrong)), None)
        if spoiled is None:
            assert self.stores[worker].commit(group) == refused
            for each in group:
                if each.shard not in refused:
                    self.apply(worker, each)
            return
        with pytest.raises(VersionConflict) as caught:
            self.stores[worker].commit(group)
        assert caught.value.shard == spoiled.shard

    def changes(self, data: st.DataObject, worker: int, name: str) -> ShardChanges:
        """Some messages for some keys, timers armed and gone, lane rows added and sent."""
        epoch, commits = self.seen[worker, name]
        model = self.shards[name]
        changes = ShardChanges(name, epoch, commits, model.lane, 0)
        keys = data.draw(st.lists(st.sampled_from("abc"), max_size=3), label=f"messages of {name}")
        for key in keys:
            self.handle(changes, f"{name} {key}")
        for key in sorted(set(keys)):
            action = data.draw(st.sampled_from(["arm", "cancel", "fire", "fire and arm", "none"]))
            self.time(changes, f"{name} {key}", action)
        for key in data.draw(st.lists(st.sampled_from("de"), unique=True), label=f"parked keys of {name}"):
            step = data.draw(st.sampled_from(["join", "join", "fail", "apply", "drain", "bury"]))
            self.wait(changes, f"{name} {key}", step)
        for number in data.draw(st.lists(st.integers(1, 4), unique=True, max_size=3), label=f"effects of {name}"):
            what = data.draw(st.sampled_from(["try", "try", "doubt", "close"]))
            self.ask(changes, number, what)
        if data.draw(st.booleans()):
            changes.sent = self.some_sent(data, model)
        return changes

    def ask(self, changes: ShardChanges, number: int, what: str) -> None:
        """An effect of the shard is asked, tried, in doubt, or has its outcome; a closed one may be asked anew."""
        place = SHARDS.index(changes.shard) * 10 + number
        row = effect_row(place, f"{changes.shard} {'abc'[number % 3]}", self.next_message, changes.shard)
        step(self.shards[changes.shard].effects, changes.to_ask(), row, what)

    def some_sent(self, data: st.DataObject, model: Shard) -> tuple[int, int]:
        """Lane numbers from the lowest that is stored up to any."""
        return min(model.outbox, default=1) - 1, data.draw(st.integers(0, model.lane))

    def handle(self, changes: ShardChanges, key: str) -> None:
        """One message: journal row, state, a place in the lane, a position."""
        pending = {write.row.key: write for write in changes.states}
        stored = self.shards[changes.shard].states.get(key)
        over = pending[key].over if key in pending else stored.version if stored else 0
        version = (pending[key].row.version if key in pending else over) + 1
        number, self.next_message = self.next_message, self.next_message + 1
        changes.journal.append(journal_row(number, key, version, changes.shard))
        changes.states[:] = [write for write in changes.states if write.row.key != key]
        changes.states.append(StateWrite(state_row(key, version, b"%d" % number, changes.shard), over))
        changes.lane += 1
        changes.outbox.append(outbox_row(changes.lane, changes.shard))
        changes.positions[f"orders/{number % 3}"] = Position(1, number)

    def wait(self, changes: ShardChanges, key: str, step: str) -> None:
        """What becomes of a key that fails: messages join it, its head fails, is applied or dies, its tail drains."""
        model, parking = self.shards[changes.shard], changes.to_park()
        tail = model.waiting.get(key, [])
        known = model.parked.get(key, parked_key(key, 1, 0, changes.shard))
        if step == "join":
            number, self.next_message = self.next_message, self.next_message + 1
            parked = Disposition.PARKED.value
            changes.journal.append(journal_row(number, key, 0, changes.shard)._replace(disposition=parked))
            parking.parked.append(parked_row(known.last + 1, key, number, changes.shard))
            parking.parked_keys.append(known._replace(last=known.last + 1))
        elif step == "fail" and tail:
            failures = len(model.failures.get(tail[0].message_id, [])) + 1
            message = int.from_bytes(tail[0].message_id, "big")
            parking.failures.append(failure_row(failures, message, key, changes.shard))
            parking.parked_keys.append(
                known._replace(failures=failures, due=self.next_message if failures % 2 else None)
            )
        elif tail:
            self.end(changes, known, tail if step == "drain" else tail[:1], step)

    def end(self, changes: ShardChanges, known: ParkedKey, ended: list[ParkedRow], step: str) -> None:
        """Messages leave a tail, applied or dead; the key is free when nothing is left."""
        parking, (first, last) = changes.to_park(), (ended[0].ordinal, ended[-1].ordinal)
        end = Disposition.DEAD if step == "bury" else Disposition.APPLIED
        for row in ended:
            number = int.from_bytes(row.message_id, "big")
            parking.settled.append(journal_row(number, row.key, 0, row.shard)._replace(disposition=end.value))
            if step == "bury":
                parking.dead.append(dead_letter(number, row.key, row.shard))
        parking.unparked.append(Unparked(ACTOR, known.key, first, last))
        if last == known.last:
            parking.freed.append((ACTOR, known.key))
        else:
            parking.parked_keys.append(known._replace(first=last + 1, failures=0))

    def time(self, changes: ShardChanges, key: str, action: str) -> None:
        """What the key's message does with its timer."""
        armed = self.shards[changes.shard].timers.get((key, "overdue"))
        anew = timer_row(key=key, due=self.next_message, generation=self.next_message, shard=changes.shard)
        if action == "cancel":
            changes.gone.append(cancelled(anew))
        if action.startswith("fire") and armed is not None:
            changes.gone.append(fired(armed))
        if action.endswith("arm"):
            changes.armed.append(anew)

    def spoil(self, changes: ShardChanges, wrong: str | None) -> bool:
        """Make one row contradict the store; False when there is none to spoil."""
        model = self.shards[changes.shard]
        if wrong == "state" and changes.states:
            changes.states[-1] = changes.states[-1]._replace(over=changes.states[-1].over + 1)
        elif wrong == "journal" and model.journal:
            changes.journal.append(next(iter(model.journal.values())))
        elif wrong == "timer" and model.timers:
            changes.gone.append(fired(next(iter(model.timers.values())))._replace(generation=b"another"))
        elif wrong in WRONG_EFFECTS:
            return spoil(model.effects, changes.to_ask(), wrong)
        else:
            return self.spoil_parking(model, changes.to_park(), wrong)
        return True

    def spoil_parking(self, model: Shard, parking: Parking, wrong: str | None) -> bool:
        """The same for what is parked."""
        settled = {row.message_id for row in parking.settled}
        applied = [row for row in model.journal.values() if row.disposition == Disposition.APPLIED]
        tails = [rows for rows in model.waiting.values() if rows and rows[0].message_id not in settled]
        if wrong == "settled" and applied:
            parking.settled.append(applied[0])
        elif wrong == "place" and tails:
            parking.parked.append(tails[0][0])
        elif wrong == "range" and tails:
            [*_, last] = tails[0]
            parking.unparked.append(Unparked(ACTOR, last.key, last.ordinal, last.ordinal + 9))
        elif wrong == "dead" and model.dead:
            parking.dead.append(next(iter(model.dead.values())))
        else:
            return False
        return True

    def apply(self, worker: int, changes: ShardChanges) -> None:
        """The model after a commit."""
        model = self.shards[changes.shard]
        model.commits, model.lane = changes.commits + 1, changes.lane
        model.positions.update(changes.positions)
        model.journal.update({row.message_id: row for row in changes.journal})
        model.states.update({write.row.key: write.row for write in changes.states})
        model.remove(changes.sent)
        model.outbox.update({row.number: row for row in changes.outbox})
        for gone in changes.gone:
            model.timers.pop((gone.key, gone.name), None)
        model.timers.update({(row.key, row.name): row for row in changes.armed})
        if changes.parking is not None:
            self.apply_parking(model, changes.parking)
        if changes.effects is not None:
            follow(model.effects, changes.effects)
        self.seen[worker, changes.shard] = changes.epoch, model.commits

    def apply_parking(self, model: Shard, parking: Parking) -> None:
        """What of it is parked, settled and dead."""
        for _, key, first, last in parking.unparked:
            model.waiting[key] = [row for row in model.waiting[key] if not first <= row.ordinal <= last]
        for row in parking.parked:
            model.waiting.setdefault(row.key, []).append(row)
        for _, key in parking.freed:
            del model.parked[key]
        model.parked.update({row.key: row for row in parking.parked_keys})
        model.journal.update({row.message_id: row for row in parking.settled})
        for failure in parking.failures:
            model.failures.setdefault(failure.message_id, []).append(failure)
        model.dead.update({letter.message_id: letter for letter in parking.dead})

    @invariant()
    def the_store_is_the_model(self) -> None:
        """Read through both stores and the views."""
        for row in self.views.shards():
            model = self.shards[row.shard]
            assert row[:6] == (row.shard, model.epoch, model.owner, model.commits, model.lane, model.clean)
            assert row.positions == model.positions
        shards = self.shards.values()
        journal = {key: value for shard in shards for key, value in shard.journal.items()}
        assert {row.message_id: row for row in self.views.journal_of(ACTOR)} == journal
        states = {key: value for shard in shards for key, value in shard.states.items()}
        assert {row.key: row for row in self.views.states_of(ACTOR)} == states
        for key in states:
            expected = sorted((row for row in journal.values() if row.key == key), key=lambda row: row.version)
            assert self.views.timeline(ACTOR, key) == expected
        self.compare_parking(list(shards))
        for store in self.stores:
            self.compare(store, states, journal)

    def compare(self, store: Store, states: dict[str, StateRow], journal: dict[bytes, JournalRow]) -> None:
        """What a worker reads of each shard, state and message."""
        for name, model in self.shards.items():
            assert store.outbox(name, 0, 1000) == sorted(model.outbox.values(), key=lambda row: row.number)
            assert store.timers(name, FAR) == sorted(model.timers.values(), key=lambda row: (row.due, row.key))
        assert {row.key: row for row in store.states({ACTOR: list(states)})[ACTOR]} == states
        assert store.dispositions({ACTOR: list(journal)})[ACTOR] == {
            key: row.disposition for key, row in journal.items()
        }

    def compare_parking(self, shards: list[Shard]) -> None:
        """What waits and what died, as operators and the next owner see it."""
        for name, model in self.shards.items():
            assert {row.key: row for row in self.stores[0].parked_keys(name)} == model.parked
            load = self.views.loads().get(name, Load(0, 0, 0))
            assert load.parked == sum(map(len, model.waiting.values()))
            assert load.effects == len(model.effects)
            assert self.stores[0].effects(name) == in_order(model.effects)
            asked_by = {row.key for row in model.effects.values()}
            found = [row for key in asked_by for row in self.views.effects_of(ACTOR, key)]
            assert {row.effect_id: row for row in found} == model.effects
            for key, rows in model.waiting.items():
                assert self.stores[1].parked(ACTOR, key, 0, 1000) == rows
                assert self.stores[1].parked(ACTOR, key, 2, 2) == [row for row in rows if row.ordinal >= 2][:2]
        failures = {key: rows for shard in shards for key, rows in shard.failures.items()}
        assert {key: self.views.failures_of(ACTOR, key) for key in failures} == failures
        dead = {key: letter for shard in shards for key, letter in shard.dead.items()}
        assert {letter.message_id: letter for letter in self.views.dead_letters()} == dead

    def teardown(self) -> None:
        """Close everything."""
        self.harness.close()
        self.folder.cleanup()


class FileModel(StoreModel):
    """The same on a file."""

    def database(self) -> SqliteHarness:
        """A file of its own."""
        return SqliteHarness(SqliteFile(Path(self.folder.name, "magnetar.db")))


def test_postgres(postgres_databases: PostgresDatabases) -> None:
    """The same on a PostgreSQL, with a database of its own for each history."""

    class PostgresModel(StoreModel):
        def database(self) -> PostgresHarness:
            return PostgresHarness(postgres_databases.new())

        def teardown(self) -> None:
            super().teardown()
            postgres_databases.empty_all()

    run_state_machine_as_test(PostgresModel, settings=settings(max_examples=8, stateful_step_count=25))


TestMemory = StoreModel.TestCase
TestMemory.settings = settings(max_examples=60, stateful_step_count=25)
TestFile = FileModel.TestCase
TestFile.settings = settings(max_examples=15, stateful_step_count=25)
