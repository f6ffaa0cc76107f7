"""Why a key stands where it stands: each cause is named when it is the one, and what is first has to end first."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from magnetar.runtime import Actor, Command, Context, Key, Policy, Retry, State, Timer, World
from magnetar.runtime import replace as changed
from magnetar.runtime.cli.why_picture import why_picture
from magnetar.runtime.instant import SECOND, to_datetime
from magnetar.runtime.operate.key_names import KeyName
from magnetar.runtime.operate.obstacle import Cause
from magnetar.runtime.operate.why import Explanation, Facts, explain, look, why
from magnetar.runtime.store.requests import Pause
from magnetar.runtime.store.roster import Member

START = datetime(2026, 1, 1, tzinfo=UTC)
A = KeyName("things", "a")


class Try(Command):
    """Succeeds once it has failed so many times."""

    thing: Key
    fails: int = 0
    rings: bool = False


class Ring(Timer):
    """It is time."""


class Thing(State):
    """How much was done."""

    done: int = 0


things = Actor(
    "things", Thing, policy=Policy(partitions=1, retry=Retry(immediate=1, tiers=(10.0,), attempts=3, jitter=0))
)


@things.handles
def attempt(thing: Thing, message: Try, context: Context) -> Thing:
    """It raises, or counts."""
    if context.envelope.attempt < message.fails:
        raise ValueError(f"try {context.envelope.attempt}")
    if message.rings:
        context.schedule(Ring(), after=60)
    return changed(thing, done=thing.done + 1)


@things.handles
def ring(thing: Thing, message: Ring, context: Context) -> Thing:
    """It counts, too."""
    return changed(thing, done=thing.done + 1)


@pytest.fixture
def world() -> Generator[World]:
    """Nothing has come."""
    with World(things, start=START, parks=True) as world:
        yield world


def member(worker: str, now: int, *, heard: int = 0, actors: str = "things", seen: int = 0) -> Member:
    """Seen and heard so many seconds ago."""
    return Member(
        worker, "1", 1, actors, now - 90 * SECOND, now - seen * SECOND, now - heard * SECOND, 7, leaving=False
    )


def facts(world: World) -> Facts:
    """As they are, with an owner that lives: a world has no members."""
    found = look(world.database.views(), A)
    return replace(found, members=[member(found.report.shard.owner, found.now)])


def causes(explanation: Explanation) -> list[Cause]:
    """In order."""
    return [obstacle.cause for obstacle in explanation.obstacles]


def test_nothing_is_wrong(world: World) -> None:
    """Everything that came is applied, or nothing ever came."""
    assert causes(explain(facts(world))) == [Cause.NOTHING]
    assert not explain(facts(world)).seen
    world.send(Try(thing="a"))
    explanation = explain(facts(world))
    assert (explanation.cause, explanation.seen, explanation.version) == (Cause.NOTHING, True, 1)
    assert explanation.blocking is None


def test_a_timer_is_awaited(world: World) -> None:
    """The next thing to happen by itself is that it fires."""
    world.send(Try(thing="a", rings=True))
    [obstacle] = explain(facts(world)).obstacles
    assert (obstacle.cause, obstacle.at) == (Cause.TIMER, START + timedelta(seconds=60))
    assert obstacle.next == "Ring fires"


def test_a_retry_is_pending(world: World) -> None:
    """With the message in front, its attempts so far, what waits behind it, and when it is tried again."""
    world.send(Try(thing="a", fails=2))
    world.send(Try(thing="a"))
    explanation = explain(facts(world))
    [obstacle] = explanation.obstacles
    assert (obstacle.cause, obstacle.since) == (Cause.RETRY, START)
    assert obstacle.at == START + timedelta(seconds=10)
    assert obstacle.what == "Try has failed once: ValueError: try 0"
    assert explanation.blocking is not None
    assert explanation.blocking.content.value == {"thing": "a", "fails": 2, "rings": False}
    assert [(each.number, each.error_text) for each in explanation.attempts] == [(1, "try 0")]
    assert explanation.behind == 1


def test_a_key_is_held_after_a_dead_letter(world: World) -> None:
    """The message in front is the letter; both that came after it wait."""
    world.send(Try(thing="a", fails=99))
    world.advance(60)
    world.send(Try(thing="a"))
    world.send(Try(thing="a"))
    explanation = explain(facts(world))
    assert causes(explanation) == [Cause.HELD]
    assert explanation.blocking is not None
    assert explanation.blocking.content.value["fails"] == 99
    assert [each.number for each in explanation.attempts] == [1, 2, 3]
    assert explanation.behind == 2
    assert explanation.obstacles[0].at is None
    assert any("dlq replay" in remedy for remedy in explanation.obstacles[0].remedies)


@pytest.mark.parametrize("reason", ["unread", "paused", "stopped"])
def test_what_else_a_key_is_parked_for(world: World, reason: str) -> None:
    """Newer code is needed; a person has paused it, or its message's type: then that pause says so."""
    world.send(Try(thing="a", fails=2))
    found = facts(world)
    assert found.report.parked is not None
    parked = msgspec.structs.replace(found.report.parked, reason=reason)
    pause = Pause(found.report.shard.name, found.blocking.type if found.blocking else "", "ann", "a test", found.now)
    found = replace(
        found, report=msgspec.structs.replace(found.report, parked=parked), pauses=[pause] * (reason == "stopped")
    )
    [obstacle] = explain(found).obstacles
    assert obstacle.cause is {"unread": Cause.UNREAD}.get(reason, Cause.PAUSED)
    if reason == "stopped":
        assert "ann, a test" in obstacle.what


def test_a_pause_of_another_type_is_not_the_cause(world: World) -> None:
    """But one of the whole actor is, whatever waits."""
    world.send(Try(thing="a", fails=2))
    found = facts(world)
    other = Pause(found.report.shard.name, "tests.Other", "ann", "a test", found.now)
    assert causes(explain(replace(found, pauses=[other]))) == [Cause.RETRY]
    assert causes(explain(replace(found, pauses=[other._replace(type="")]))) == [Cause.PAUSED, Cause.RETRY]


def test_a_shard_without_owner_comes_before_all(world: World) -> None:
    """Whoever had it is gone; whether somebody will take it is told."""
    world.send(Try(thing="a", fails=2))
    found = facts(world)
    gone = member(found.report.shard.owner, found.now, seen=30, heard=30)
    alone = explain(replace(found, members=[gone]))
    assert causes(alone) == [Cause.OWNERLESS, Cause.RETRY]
    assert alone.obstacles[0].since == to_datetime(found.now - 30 * SECOND)
    assert alone.obstacles[0].next == "nothing: no worker that serves things is alive"
    other = member("other", found.now, actors="orders")
    assert explain(replace(found, members=[gone, other])).obstacles[0].next.startswith("nothing")
    third = member("third", found.now)
    assert "another worker takes it" in explain(replace(found, members=[gone, other, third])).obstacles[0].next


@pytest.mark.parametrize(("deaf", "what"), [(("world",), "world, who has"), (("world", "b"), "no worker hears")])
def test_a_broker_out_of_reach_is_named(world: World, deaf: tuple[str, ...], what: str) -> None:
    """For the owner alone, or for all."""
    world.send(Try(thing="a"))
    found = facts(world)
    members = [member(worker, found.now, heard=20 if worker in deaf else 0) for worker in ("world", "b")]
    explanation = explain(replace(found, members=members))
    assert causes(explanation) == [Cause.BROKER]
    assert explanation.obstacles[0].what.startswith(what)
    assert explanation.obstacles[0].since == to_datetime(found.now - 20 * SECOND)


@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9), st.booleans()), max_size=4), st.integers(0, 3))
def test_every_explanation_has_its_causes_in_order(ages: list[tuple[int, int, bool]], owner: int) -> None:
    """Whoever is there, seen and heard so many seconds ago; and there is one cause at least."""
    with World(things, start=START, parks=True) as world:
        found = look(world.database.views(), A)
    members = [
        member(f"w{number}", found.now, seen=seen, heard=heard, actors="things" if serves else "orders")
        for number, (seen, heard, serves) in enumerate(ages)
    ]
    shard = msgspec.structs.replace(found.report.shard, owner=f"w{owner}")
    explanation = explain(replace(found, members=members, report=msgspec.structs.replace(found.report, shard=shard)))
    order = list(Cause)
    assert causes(explanation) == sorted(causes(explanation), key=order.index)
    alive = owner < len(ages) and abs(ages[owner][0]) < 3 and abs(ages[owner][1]) < 3
    assert (explanation.cause is Cause.NOTHING) == alive


def test_the_picture_says_it_all(world: World) -> None:
    """Cause, reason, when it goes on, what to do, the message and its attempts."""
    world.send(Try(thing="a", fails=2))
    world.send(Try(thing="a"))
    console = Console(width=120, record=True)
    console.print(why_picture(explain(facts(world)), START + timedelta(seconds=4)))
    text = console.export_text()
    for words in (
        "things/a  retry pending",
        "Try has failed once: ValueError: try 0",
        "in 6.0 s",
        "magnetar keys retry things/a",
        '{"thing": "a", "fails": 2, "rings": false}',
        "1 message of the key waits behind it",
        "held by world",
    ):
        assert words in text


def test_it_is_read_from_the_store_alone(world: World) -> None:
    """Whose world is this? Its engine beats as a worker does not; so the owner is not seen to live."""
    world.send(Try(thing="a"))
    assert isinstance(why(world.database.views(), A), Explanation)
