"""Why a key waits for the outside: an effect in flight, asked again, held up by a breaker, or by a full queue."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from magnetar.runtime import Call, NotSent, World
from magnetar.runtime.cli.why_picture import why_picture
from magnetar.runtime.instant import SECOND, from_datetime, to_datetime
from magnetar.runtime.operate.key_names import KeyName
from magnetar.runtime.operate.obstacle import Cause
from magnetar.runtime.operate.why import Explanation, Facts, explain, look
from magnetar.runtime.store.effects import EffectState
from magnetar.runtime.store.roster import Member
from magnetar.runtime.worker.breaker import LeftAlone, written
from tests.unit.worker.shopfront import Charge, Charged, Pay, payments, psp

START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = from_datetime(START)
ALONE = LeftAlone(NOW - 90 * SECOND, NOW + 20 * SECOND)
O_1 = KeyName("payments", "o-1")


def torn(request: Charge, call: Call) -> Charged:
    """The answer gets lost."""
    text = f"{request.order}: reset by peer"
    raise ConnectionError(text)


def refused(request: Charge, call: Call) -> Charged:
    """Nobody listens."""
    text = f"{request.order}: connection refused"
    raise NotSent(text)


def member(owner: str, now: int, *, alone: dict[str, LeftAlone] | None = None, seen: int = 0) -> Member:
    """A worker that lives, and what it leaves alone."""
    at = now - seen * SECOND
    return Member(
        owner, "1", 1, "payments", now - 90 * SECOND, at, at, 7, leaving=False, left_alone=written(alone or {})
    )


def facts(world: World, name: KeyName = O_1, alone: dict[str, LeftAlone] | None = None) -> Facts:
    """As they are; a world has no members."""
    found = look(world.database.views(), name)
    return replace(found, members=[member(found.report.shard.owner, found.now, alone=alone)])


def causes(explanation: Explanation) -> list[Cause]:
    """In order."""
    return [obstacle.cause for obstacle in explanation.obstacles]


def in_state(found: Facts, state: EffectState) -> Facts:
    """The effect stands so."""
    [effect] = found.report.effects
    effects = [msgspec.structs.replace(effect, state=state.value)]
    return replace(found, report=msgspec.structs.replace(found.report, effects=effects))


def test_an_effect_that_has_failed_is_asked_again() -> None:
    """With its error, since when it was asked, when it is asked next, and its key for who asks the other side."""
    with World(payments, effects={Charge: torn}, start=START) as world:
        world.send(Pay(order="o-1"))
        explanation = explain(facts(world))
        [obstacle] = explanation.obstacles
        key = world.state(payments, "o-1").keys[0]
    assert (obstacle.cause, obstacle.since, obstacle.at) == (Cause.ASKED_AGAIN, START, START + timedelta(seconds=1))
    assert obstacle.what == (
        "Charge of psp has no outcome after 1 attempt: ConnectionError: o-1: reset by peer; it may have been done"
    )
    assert obstacle.next == "it is called, under the same key"
    assert obstacle.remedies == [f"ask psp what it knows of key {key}"]
    assert [effect.content.value for effect in explanation.effects] == [{"order": "o-1", "amount": 1}]


def test_what_surely_was_not_sent_is_in_no_doubt() -> None:
    """And where its time has come it waits for a thread."""
    with World(payments, effects={Charge: refused}, start=START) as world:
        world.send(Pay(order="o-1"))
        found = facts(world)
    [obstacle] = explain(found).obstacles
    assert obstacle.what.endswith("connection refused")
    [late] = explain(
        replace(found, now=found.now + 9 * SECOND, members=[member("world", found.now + 9 * SECOND)])
    ).obstacles
    assert late.next == "it is called as soon as threads and rate of psp allow"


@pytest.mark.parametrize(("state", "says"), [("open", "is under way, attempt 1"), ("asked", "is about to be called")])
def test_an_effect_is_in_flight(state: str, says: str) -> None:
    """Its attempt is committed, or is about to be."""
    with World(payments, effects={Charge: torn}, start=START) as world:
        world.send(Pay(order="o-1"))
        found = in_state(facts(world), EffectState(state))
    if state == "asked":
        [effect] = found.report.effects
        fresh = msgspec.structs.replace(effect, attempts=0, error="", error_text="")
        found = replace(found, report=msgspec.structs.replace(found.report, effects=[fresh]))
    [obstacle] = explain(found).obstacles
    assert (obstacle.cause, obstacle.what) == (Cause.IN_FLIGHT, f"Charge of psp {says}")


def test_a_breaker_that_is_open_is_the_cause() -> None:
    """Since when it is, and until when at least; an attempt that is under way is not held up by it."""
    with World(payments, effects={Charge: torn}, start=START) as world:
        world.send(Pay(order="o-1"))
        found = facts(world, alone={"psp": ALONE})
    [obstacle] = explain(found).obstacles
    assert (obstacle.cause, obstacle.since, obstacle.at) == (
        Cause.BREAKER,
        START - timedelta(seconds=90),
        START + timedelta(seconds=20),
    )
    assert "psp had no answer, so it is left alone; Charge may have been done, after 1 attempt" in obstacle.what
    assert causes(explain(in_state(found, EffectState.OPEN))) == [Cause.IN_FLIGHT]
    sooner = member("world", found.now, alone={"psp": LeftAlone(NOW - 5, NOW - 1)})
    assert explain(replace(found, members=[sooner])).obstacles[0].at == START + timedelta(seconds=1)


def test_a_breaker_of_another_dependency_or_of_a_worker_that_is_gone_is_not() -> None:
    """What an owner said that is not seen any more holds nobody up: whoever takes the shard calls."""
    with World(payments, effects={Charge: torn}, start=START) as world:
        world.send(Pay(order="o-1"))
        found = facts(world, alone={"other": ALONE})
    assert causes(explain(found)) == [Cause.ASKED_AGAIN]
    gone = member("world", found.now, alone={"psp": ALONE}, seen=30)
    other = member("b", found.now, alone={"psp": ALONE})
    assert causes(explain(replace(found, members=[gone, other]))) == [Cause.OWNERLESS, Cause.ASKED_AGAIN]


def test_a_full_queue_is_the_cause_and_a_breaker_its_own() -> None:
    """Whose first message asks for more than a queue holds waits for room; if nothing moves there, that comes first."""
    with World(payments, effects={Charge: torn}, start=START, parks=True) as world:
        shard = look(world.database.views(), O_1).report.shard.name
        same = [each for each in map("k-{}".format, range(40)) if _shard_of(world, each) == shard]
        for each in same[: psp.queue]:
            world.send(Pay(order=each))
        world.send(Pay(order="o-1"))
        found = facts(world)
    [obstacle] = explain(found).obstacles
    assert (obstacle.cause, obstacle.since, obstacle.at) == (Cause.CROWDED, START, START + timedelta(seconds=1))
    assert obstacle.what == f"no room: 5 effects of shard {shard} wait for psp; 5 have room there"
    stuck = explain(replace(found, members=[member("world", found.now, alone={"psp": ALONE})]))
    assert causes(stuck) == [Cause.BREAKER, Cause.CROWDED]
    assert stuck.obstacles[0].what.endswith("the key's first message waits for room in its queue")


def _shard_of(world: World, key: str) -> str:
    return look(world.database.views(), KeyName("payments", key)).report.shard.name


def test_the_picture_tells_what_is_asked() -> None:
    """Its content and its key, with the cause."""
    with World(payments, effects={Charge: torn}, start=START) as world:
        world.send(Pay(order="o-1", amount=7))
        found, key = facts(world, alone={"psp": ALONE}), world.state(payments, "o-1").keys[0]
    console = Console(width=160, record=True)
    console.print(why_picture(explain(found), to_datetime(NOW)))
    text = console.export_text()
    for words in (
        "payments/o-1  breaker open",
        "in 20.0 s",
        f"Charge of psp, key {key}",
        '{"order": "o-1", "amount": 7}',
    ):
        assert words in text


@given(
    st.lists(st.tuples(st.sampled_from(EffectState), st.integers(0, 3), st.sampled_from(["psp", "bank"]))),
    st.dictionaries(st.sampled_from(["psp", "bank"]), st.tuples(st.integers(0, 9), st.integers(-9, 9))),
)
def test_each_effect_has_its_cause_and_all_come_in_order(
    stand: list[tuple[EffectState, int, str]], alone: dict[str, tuple[int, int]]
) -> None:
    """One for each; of a dependency that is left alone only what is under way is no breaker's."""
    with World(payments, effects={Charge: torn}, start=START) as world:
        world.send(Pay(order="o-1"))
        left = {name: LeftAlone(NOW - a * SECOND, NOW + b * SECOND) for name, (a, b) in alone.items()}
        found = facts(world, alone=left)
    [one] = found.report.effects
    effects = [
        msgspec.structs.replace(one, state=state.value, attempts=attempts, dependency=dependency)
        for state, attempts, dependency in stand
    ]
    told = causes(explain(replace(found, report=msgspec.structs.replace(found.report, effects=effects))))
    order = list(Cause)
    assert told == sorted(told, key=order.index)
    held = sum(dependency in alone and state is not EffectState.OPEN for state, _, dependency in stand)
    assert told.count(Cause.BREAKER) == held
    assert len(told) == max(1, len(stand))
