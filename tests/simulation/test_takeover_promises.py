"""What the takeover report asks of its orders sees what it is there for, and its gaps are read off a real run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from msgspec import structs

from magnetar.chaos.evidence import Place
from magnetar.chaos.simulation import Schedule, simulate
from magnetar.chaos.takeover.gaps import gaps
from magnetar.chaos.takeover.promises import effects_in_order, every_order_ends
from magnetar.chaos.takeover.reading import handled, passed
from magnetar.runtime.routing import partition_of

if TYPE_CHECKING:
    from magnetar.chaos.evidence import Effect, Evidence
    from magnetar.chaos.history import History
    from magnetar.chaos.verdict import Examination


@pytest.fixture(scope="module")
def run() -> tuple[History, Evidence]:
    """The shop, with faults."""
    outcome = simulate(Schedule.of(3, "shopping"))
    assert outcome.judgement.violations == []
    return outcome.history, outcome.evidence


def blamed(examination: Examination) -> list[str]:
    """Whom the violations are about."""
    return [each.subject for each in examination if each is not None]


def home(evidence: Evidence, effect: Effect) -> Place:
    """Where it belongs."""
    return Place(effect.topic, partition_of(effect.key, evidence.partitions(effect.topic)))


def test_effects_of_a_key_out_of_their_order_are_seen(run: tuple[History, Evidence]) -> None:
    """Two messages that one key sent to one place change places there."""
    history, evidence = run
    assert blamed(effects_in_order(history, evidence)) == []
    lanes: dict[tuple[str, str, Place], list[Effect]] = {}
    for effect in sorted(evidence.effects, key=lambda effect: effect.by.version):
        lanes.setdefault((effect.by.actor, effect.by.key, home(evidence, effect)), []).append(effect)
    (actor, key, place), lane = next(
        item for item in lanes.items() if len({effect.by.version for effect in item[1]}) > 1
    )
    first, last = lane[0], lane[-1]
    log = list(evidence.logs[place])
    one, two = (
        next(at for at, each in enumerate(log) if each.properties.get("message_id") == effect.message_id)
        for effect in (first, last)
    )
    there, here = (structs.replace(log[at], position=log[other].position) for at, other in ((one, two), (two, one)))
    log[one], log[two] = there, here
    falsified = replace(evidence, logs={**evidence.logs, place: log})
    assert blamed(effects_in_order(history, falsified)) == [f"actor {actor}, key {key}"]


def test_an_order_that_was_placed_and_is_not_confirmed_is_seen(run: tuple[History, Evidence]) -> None:
    """In this run some are cancelled, of course; one that is not there at all is one more."""
    history, evidence = run
    before = set(blamed(every_order_ends(history, evidence)))
    placed = {sending.key for sending in history.sendings.values() if sending.topic == "orders"}
    confirmed = sorted(placed - before)
    assert confirmed
    states = {who: row for who, row in evidence.states.items() if who != ("orders", confirmed[0])}
    after = set(blamed(every_order_ends(history, replace(evidence, states=states))))
    assert after == before | {confirmed[0]}


def test_whatever_had_an_effect_has_passed_its_shard_after_it_came(run: tuple[History, Evidence]) -> None:
    """And every shard that did something has its gaps."""
    _, evidence = run
    found = passed(evidence)
    effective = {(effect.by.actor, effect.by.message_id) for effect in evidence.effects if effect.by.position}
    assert len(found) == len(effective) > 0
    assert {each.shard for each in found} == set(gaps(found))


def test_whatever_was_applied_was_handled_as_the_journal_says(run: tuple[History, Evidence]) -> None:
    """Timers are not counted: nobody published them."""
    _, evidence = run
    applied = [row for timeline in evidence.timelines.values() for row in timeline if row.position]
    assert sorted(handled(evidence)) == sorted((row.shard, row.published_at, row.now) for row in applied)
