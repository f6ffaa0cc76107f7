"""Each checker sees what it is there for: the evidence of a good run, falsified in one place."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from msgspec import structs

from magnetar.chaos.checkers import CHECKERS
from magnetar.chaos.checkers.order import timers_let_the_punctual_pass
from magnetar.chaos.evidence import Place
from magnetar.chaos.simulation import Schedule, simulate
from magnetar.chaos.verdict import judge
from magnetar.runtime.bus.port import Position

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.chaos.evidence import Evidence
    from magnetar.chaos.history import History, Violation
    from magnetar.runtime.bus.port import Delivery
    from magnetar.runtime.store.port import JournalRow

    Case = tuple[History, Evidence]
    Falsification = Callable[[Case], Case]

SEED = 1


@pytest.fixture
def good() -> Case:
    """A run that kept every promise, with faults, timers, duplicates and effects."""
    outcome = simulate(Schedule.of(SEED, "trade"))
    assert outcome.judgement.violations == []
    return outcome.history, outcome.evidence


def check(history: History, evidence: Evidence) -> list[Violation]:
    """Every violation that any checker finds."""
    return judge(history, evidence, CHECKERS).violations


def first_row(evidence: Evidence, *, effects: bool = False) -> JournalRow:
    """A journal row of a message from a topic; one that sent something, if that is wanted."""
    return next(
        row
        for row in evidence.journal.values()
        if row.source != "timer" and row.disposition == "applied" and ('"id"' in row.sent or not effects)
    )


def with_row(evidence: Evidence, old: JournalRow, new: JournalRow | None) -> Evidence:
    """The evidence with this row instead of that one, or without it."""
    journal = {key: row for key, row in evidence.journal.items() if row is not old}
    if new is not None:
        journal[new.actor, new.message_id] = new
    return replace(evidence, journal=journal)


def with_log(evidence: Evidence, place: Place, log: list[Delivery]) -> Evidence:
    """The evidence with another log in this place."""
    return replace(evidence, logs={**evidence.logs, place: log})


def effect_log(evidence: Evidence) -> tuple[Place, int]:
    """Where the first effect of the journal is."""
    effect = evidence.effects[0]
    [place] = evidence.copies[effect.message_id]
    ids = [delivery.properties.get("message_id") for delivery in evidence.logs[place]]
    return place, ids.index(effect.message_id)


def _loses_an_acknowledged_message(case: Case) -> Case:
    history, evidence = case
    sending = next(each for each in history.sendings.values() if each.acked and each.message_id)
    place = Place(sending.topic, sending.partition)
    kept = [each for each in evidence.logs[place] if each.properties.get("message_id") != sending.message_id]
    return history, with_log(evidence, place, kept)


def _loses_a_foreign_message(case: Case) -> Case:
    history, evidence = case
    place = next(iter(evidence.logs))
    sending = replace(history.sendings[0], message_id=None, topic=place.topic, partition=place.partition)
    sending.acked, sending.positions = True, [Position(999, 0)]
    history.sendings[-1] = sending
    return case


def _leaves_a_message_unapplied(case: Case) -> Case:
    history, evidence = case
    return history, with_row(evidence, first_row(evidence), None)


def _parks_a_message(case: Case) -> Case:
    history, evidence = case
    row = first_row(evidence)
    return history, with_row(evidence, row, row._replace(disposition="parked"))


def _applies_a_message_from_nowhere(case: Case) -> Case:
    history, evidence = case
    row = first_row(evidence)
    return history, with_row(evidence, row, row._replace(position="999:0:-1"))


def _applies_other_bytes(case: Case) -> Case:
    history, evidence = case
    row = first_row(evidence)
    return history, with_row(evidence, row, row._replace(body=row.body + b"x"))


def _applies_what_cannot_be_read(case: Case) -> Case:
    history, evidence = case
    row = first_row(evidence)
    return history, with_row(evidence, row, row._replace(body=b""))


def _skips_a_version(case: Case) -> Case:
    history, evidence = case
    row = first_row(evidence)
    return history, with_row(evidence, row, row._replace(version=row.version + 100))


def _applies_in_another_shard(case: Case) -> Case:
    history, evidence = case
    row = first_row(evidence)
    return history, with_row(evidence, row, row._replace(shard=f"{row.actor}/99"))


def _applies_in_another_order(case: Case) -> Case:
    history, evidence = case
    for timeline in evidence.timelines.values():
        rows = [row for row in timeline if row.source == timeline[0].source]
        if len(rows) > 1 and rows[0].position:
            one, two = rows[:2]
            first = with_row(evidence, one, one._replace(version=two.version))
            return history, with_row(first, two, two._replace(version=one.version))
    raise AssertionError("no key had two messages of one partition: choose another seed")


def _publishes_an_effect_twice(case: Case) -> Case:
    history, evidence = case
    place, index = effect_log(evidence)
    return history, with_log(evidence, place, [*evidence.logs[place], evidence.logs[place][index]])


def _publishes_what_nobody_sent(case: Case) -> Case:
    history, evidence = case
    place, index = effect_log(evidence)
    stray = evidence.logs[place][index]
    changed = structs.replace(stray, properties={**stray.properties, "message_id": "nobody's", "type": "none"})
    return history, with_log(evidence, place, [*evidence.logs[place], changed])


def _swaps_two_of_a_lane(case: Case) -> Case:
    history, evidence = case
    for place, log in evidence.logs.items():
        by_sender: dict[str | None, list[int]] = {}
        for index, delivery in enumerate(log):
            by_sender.setdefault(delivery.properties.get("sender"), []).append(index)
        for sender, (one, two, *_) in (
            (name, at) for name, at in by_sender.items() if name != "outside" and len(at) > 1
        ):
            assert sender is not None
            swapped = list(log)
            swapped[one], swapped[two] = swapped[two], swapped[one]
            return history, with_log(evidence, place, swapped)
    raise AssertionError("no shard sent two messages to one partition: choose another seed")


def _leaves_a_gap_in_a_lane(case: Case) -> Case:
    history, _ = case
    index = next(at for at, commit in enumerate(history.commits) if commit.lane)
    commit = history.commits[index]
    lane = (commit.lane[0]._replace(number=77), *commit.lane[1:])
    history.commits[index] = structs.replace(commit, lane=lane)
    return case


def _commits_as_a_zombie(case: Case) -> Case:
    history, _ = case
    history.commits[-1] = structs.replace(history.commits[-1], current=history.commits[-1].epoch + 1)
    return case


def _counts_a_commit_twice(case: Case) -> Case:
    history, _ = case
    history.commits.append(history.commits[-1])
    return case


def _acknowledges_too_far(case: Case) -> Case:
    history, evidence = case
    cursors = [each._replace(acknowledged=Position(999, 0)) for each in evidence.cursors]
    return history, replace(evidence, cursors=cursors)


def _leaves_a_backlog(case: Case) -> Case:
    history, evidence = case
    return history, replace(evidence, cursors=[each._replace(backlog=1) for each in evidence.cursors])


def _forgets_a_state_byte(case: Case) -> Case:
    history, evidence = case
    states = {who: row._replace(body=row.body[:-1]) for who, row in evidence.states.items()}
    return history, replace(evidence, states=states)


def _hashes_another_state(case: Case) -> Case:
    history, evidence = case
    row = first_row(evidence)
    return history, with_row(evidence, row, row._replace(state_hash=b"\0" * 8))


def _sends_something_else(case: Case) -> Case:
    history, evidence = case
    row = first_row(evidence, effects=True)
    entries = [entry for entry in json.loads(row.sent) if "id" not in entry]
    return history, with_row(evidence, row, row._replace(sent=json.dumps(entries)))


def _writes_an_own_row_twice(case: Case) -> Case:
    history, evidence = case
    return history, replace(evidence, rows={name: rows * 2 for name, rows in evidence.rows.items()})


def _fires_a_timer_that_nobody_armed(case: Case) -> Case:
    history, evidence = case
    row = next(row for row in evidence.journal.values() if row.source == "timer")
    return history, with_row(evidence, row, row._replace(message_id=b"\1" * 16))


def _fires_a_timer_too_early(case: Case) -> Case:
    history, evidence = case
    row = next(row for row in evidence.journal.values() if row.source == "timer")
    return history, with_row(evidence, row, row._replace(now=row.now - 10**9))


FALSIFICATIONS: dict[Falsification, str] = {
    _loses_an_acknowledged_message: "an acknowledged message is never lost",
    _loses_a_foreign_message: "an acknowledged message is never lost",
    _leaves_a_message_unapplied: "every message is applied",
    _parks_a_message: "every message is applied",
    _applies_a_message_from_nowhere: "no message from nowhere",
    _applies_other_bytes: "no message from nowhere",
    _applies_what_cannot_be_read: "what was applied can be replayed",
    _skips_a_version: "one key is one chain of versions",
    _applies_in_another_shard: "a key lives in its own shard",
    _applies_in_another_order: "messages of one key are applied in order",
    _publishes_an_effect_twice: "an effect happens once",
    _publishes_what_nobody_sent: "no effect of what was not committed",
    _swaps_two_of_a_lane: "a lane arrives in its order",
    _leaves_a_gap_in_a_lane: "a lane's numbers have no gap",
    _commits_as_a_zombie: "a zombie commits nothing",
    _counts_a_commit_twice: "each commit is counted once",
    _acknowledges_too_far: "an acknowledgement follows its commit",
    _leaves_a_backlog: "what is healed comes to rest",
    _forgets_a_state_byte: "replay arrives at the same state",
    _hashes_another_state: "replay arrives at the same state",
    _sends_something_else: "replay decides the same",
    _writes_an_own_row_twice: "own rows are written once",
    _fires_a_timer_that_nobody_armed: "a timer fires once, while it is armed",
    _fires_a_timer_too_early: "a timer does not fire before it is due",
}


@pytest.mark.parametrize("falsification", FALSIFICATIONS, ids=lambda each: each.__name__[1:])
def test_a_falsification_is_found(good: Case, falsification: Falsification) -> None:
    """The promise that was broken is named."""
    history, evidence = falsification(good)
    assert FALSIFICATIONS[falsification] in {violation.promise for violation in check(history, evidence)}


def test_a_timer_that_overtakes_is_found(good: Case) -> None:
    """A message published before a timer was due, applied after it, though the timer had not waited long: R26."""
    history, evidence = good
    assert not any(timers_let_the_punctual_pass(history, evidence))
    for timeline in evidence.timelines.values():
        for timer, later in pairwise(timeline):
            if timer.source == "timer" and later.source != "timer":
                early = later._replace(published_at=timer.occurred_at - 1)
                said = timers_let_the_punctual_pass(history, with_row(evidence, later, early))
                assert [each.subject for each in said if each] == [f"actor {timer.actor}, key {timer.key}"]
                return
    raise AssertionError("no message was applied right after a timer: choose another seed")


def test_every_checker_has_found_something(good: Case) -> None:
    """No checker is there that no falsification can set off."""
    silent = {checker.name for checker in CHECKERS}
    for falsification in FALSIFICATIONS:
        outcome = simulate(Schedule.of(SEED, "trade"))
        history, evidence = falsification((outcome.history, outcome.evidence))
        silent -= set(judge(history, evidence, CHECKERS).catchers)
    assert silent == set()
    assert check(*good) == []
