"""What is wrong with an app is told when it starts: everything at once, each with what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from magnetar.runtime import (
    Actor,
    App,
    AppInvalid,
    Command,
    Context,
    Event,
    Key,
    Policy,
    Remote,
    Row,
    State,
    Timer,
)


class Go(Command):
    """A command."""

    key: Key


class Stop(Command):
    """Another one."""

    key: Key


class Keyless(Command):
    """Names nobody."""

    word: str


class Gone(Event):
    """An event."""

    key: Key


class Late(Timer):
    """A timer."""


class Fine(State):
    """A state."""

    count: int = 0


class Bare(State):
    """Two fields without a default."""

    count: int
    word: str


class Odd(State):
    """A field that has no Avro type."""

    thing: complex = 0j


class Note(Row):
    """A row."""

    __table__: ClassVar[str] = "notes"

    text: str


class Shouted(Row):
    """A row whose table has no good name."""

    __table__: ClassVar[str] = "Notes!"

    text: str


class Second(Row):
    """Another row for the same table."""

    __table__: ClassVar[str] = "notes"

    number: int


class Strange(Row):
    """A column that has no type in a table."""

    __table__: ClassVar[str] = "strange"

    thing: list[int]


def go(state: Fine, message: Go, context: Context) -> Fine:
    """Fine."""
    return state


def stop(state: Fine, message: Stop, context: Context) -> Fine:
    """Fine."""
    return state


def again(state: Fine, message: Go, context: Context) -> Fine:
    """The second for one message."""
    return state


def keyless(state: Fine, message: Keyless, context: Context) -> Fine:
    """Takes a message without a key."""
    return state


def gone(state: Fine, message: Gone, context: Context) -> Fine:
    """Takes an event."""
    return state


def bare(state: Fine, message: Go, context: Context) -> Fine:
    """Loses its annotation."""
    return state


def hidden(state: Fine, message: Go, context: Context) -> Fine:
    """Loses it to one that names nothing, as a type imported for checkers only does."""
    return state


del bare.__annotations__["message"]
hidden.__annotations__["message"] = "Nowhere"


def numbered(state: Fine, message: int, context: Context) -> Fine:
    """Takes no message."""
    return state


def short(state: Fine, message: Go) -> Fine:
    """Has two parameters."""
    return state


def waits(state: Fine, message: Go, context: Context) -> Fine:
    """Schedules a timer that nobody handles."""
    context.schedule(Late(), after=1)
    return state


def asks(state: Fine, message: Go, context: Context) -> Fine:
    """Sends a command that nobody takes, by way of a function beside it."""
    _asks(context)
    return state


def _asks(context: Context) -> None:
    context.send(Stop(key="k"))


def tells(state: Fine, message: Go, context: Context) -> Fine:
    """Publishes an event that it does not declare."""
    context.publish(Gone(key="k"))
    return state


def actor(name: str = "fine", *handlers: Callable[..., Any], state: type[Any] = Fine, **more: Any) -> Actor[Any]:
    """An actor with these handlers."""
    made = Actor(name, state, **more)
    for handler in handlers:
        made.handles(handler)
    return made


def problems(*actors: Actor[Any], name: str = "app", remotes: tuple[Remote, ...] = ()) -> list[str]:
    """What the app says when it starts."""
    with pytest.raises(AppInvalid) as caught:
        App(name, *actors, remotes=remotes).wire()
    return caught.value.problems


ONE_PROBLEM: list[tuple[Actor[Any], str, str]] = [
    (actor("fine", go, again), "two handlers for Go", "Keep one"),
    (actor("fine", keyless), "Keyless, taken by 'fine', has no key", "`order_id: Key`"),
    (actor("fine", gone), "takes event Gone, which nobody publishes", "publishes=[…] of an actor or a Remote"),
    (actor("fine", bare), "annotate 'message'", "with the message's type"),
    (actor("fine", hidden), "'Nowhere' cannot be read", "import the type at run time"),
    (actor("fine", numbered), "no Command, Event, Timer or Outcome", "derive it from one"),
    (actor("fine", short), "must be a function of (state, message, context)", "function of"),
    (actor("fine", waits), "names timer Late", "write its handler"),
    (actor("fine", asks), "names command Stop, which no actor or remote takes", "name it in a Remote"),
    (actor("fine", tells), "names event Gone", "add it to its publishes=[…]"),
    (actor("fine", go, state=Go), "derive it from State", "derive it"),
    (actor("Fine", go), "the name 'Fine' must match", "it becomes a topic"),
    (actor("fine", go, policy=Policy(partitions=0)), "has 0 partitions", "at least one"),
    (actor("fine", go, rows=[Shouted]), "__table__ = 'Notes!' must match", "must match"),
    (actor("fine", go, rows=[Note, Second]), "two row types write table 'notes'", "give each its own"),
    (actor("fine", go, rows=[Strange]), "column 'thing'", "use bool, int"),
    (actor("fine", go, state=Odd), "thing", "complex"),
]


@pytest.mark.parametrize(("wrong", "what", "remedy"), ONE_PROBLEM, ids=[what for _, what, _ in ONE_PROBLEM])
def test_a_problem_is_told_with_its_remedy(wrong: Actor[Any], what: str, remedy: str) -> None:
    """One mistake, a sentence about it, and what to do."""
    found = [each for each in problems(wrong) if what in each]
    assert len(found) == 1
    assert remedy in found[0]


def test_each_field_without_a_default_is_named() -> None:
    """A key never seen is the default state, so every field needs one."""
    found = [each for each in problems(actor("fine", go, state=Bare)) if "has no default" in each]
    assert [("'count'" in each, "'word'" in each) for each in found] == [(True, False), (False, True)]


def test_a_command_with_two_takers_is_refused() -> None:
    """By two actors, or by an actor and a remote service."""
    [found] = problems(actor("one", go), actor("two", go))
    assert "Go has 2 takers: one, two" in found
    [found] = problems(actor("one", go), remotes=(Remote("far", takes=[Go]),))
    assert "Go has 2 takers: one, remote far" in found


def test_names_are_given_once() -> None:
    """Actors and remotes share the topics' names."""
    assert any(
        "2 actors or remotes are called 'one'" in each for each in problems(actor("one", go), actor("one", stop))
    )
    assert any("called 'one'" in each for each in problems(actor("one", go), remotes=(Remote("one", takes=[Stop]),)))
    assert any("'My App'" in each for each in problems(actor("one", go), name="My App"))


def test_contracts_of_one_name_are_refused() -> None:
    """Two classes would be one Avro type."""
    other = type("Go", (Command,), {"__annotations__": {"key": Key}, "__module__": Go.__module__})
    [found] = problems(actor("one", go), remotes=(Remote("far", takes=[other]),))
    assert "two contracts are called" in found
    assert "Rename one" in found


def test_an_actor_without_handlers_is_refused() -> None:
    """Nobody could ever reach it."""
    assert any("has no handler" in each for each in problems(actor("idle")))


def test_a_remote_command_needs_a_key_too() -> None:
    """It has to go to some partition."""
    assert any("Keyless" in each for each in problems(actor("one", go), remotes=(Remote("far", takes=[Keyless]),)))


def test_every_problem_is_told_at_once() -> None:
    """Nobody wants to start ten times: one error, numbered, with all of them."""
    with pytest.raises(AppInvalid) as caught:
        App(
            "app",
            actor("one", go, again, keyless, gone, bare, waits, state=Bare, rows=[Shouted]),
            actor("two", go),
            actor("three"),
        ).wire()
    text, found = str(caught.value), caught.value.problems
    for part in (
        "two handlers",
        "has no key",
        "nobody publishes",
        "annotate",
        "timer Late",
        "no default",
        "must match",
        "2 takers",
        "has no handler",
    ):
        assert part in text
    assert f"app 'app' cannot start, {len(found)} problem(s)" in text
    assert f"  {len(found)}. " in text


def test_a_problem_says_where() -> None:
    """The handler's file and line."""
    [found] = problems(actor("fine", go, again))
    assert f"{__file__}:{again.__code__.co_firstlineno}" in found
    assert f"{__file__}:{go.__code__.co_firstlineno}" in found


def test_a_right_app_is_wired() -> None:
    """Commands to their one taker, events to all who take them, a remote's topics without partitions."""
    wiring = App(
        "app",
        actor("one", go, publishes=[Gone], rows=[Note], policy=Policy(partitions=3)),
        actor("two", gone),
        remotes=[Remote("far", takes=[Stop])],
    ).wire()
    assert {name: (topic.partitions, topic.takers) for name, topic in wiring.topics.items()} == {
        "one": (3, ("one",)),
        "one-events": (3, ("two",)),
        "two": (16, ("two",)),
        "far": (None, ()),
    }
    assert wiring.destination(None, Go(key="k")).name == "one"
    assert wiring.destination(wiring.actors["one"], Gone(key="k")).name == "one-events"
    assert wiring.destination(wiring.actors["two"], Stop(key="k")).name == "far"
    assert wiring.topics["one-events"].subscriptions == ("magnetar-two",)
    assert [table.name for table in wiring.tables()] == ["notes"]
    assert [topic.name for topic in wiring.actors["two"].sources] == ["two", "one-events"]
