"""What a handler says of its failure, the policy that is checked with the app, and the topics that follow from it."""

from __future__ import annotations

import pickle
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magnetar.runtime import (
    Actor,
    App,
    AppInvalid,
    Command,
    Context,
    Key,
    KeyParked,
    MisuseError,
    PermanentError,
    Policy,
    Retry,
    State,
    TemporaryError,
)
from magnetar.runtime.wiring import LetterTopic, retry_topic

UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000}


class Go(Command):
    """A command."""

    key: Key


class Thing(State):
    """A state."""

    count: int = 0


def go(state: Thing, message: Go, context: Context) -> Thing:
    """Counts."""
    return Thing(count=state.count + 1)


def app(retry: Retry) -> App:
    """One actor with this policy."""
    things: Actor[Any] = Actor("things", Thing, policy=Policy(partitions=3, retry=retry))
    things.handles(go)
    return App("app", things)


def problems(retry: Retry) -> list[str]:
    """What the app says when it starts."""
    with pytest.raises(AppInvalid) as caught:
        app(retry).wire()
    return caught.value.problems


@pytest.mark.parametrize(
    ("retry", "problem"),
    [
        (Retry(tiers=()), "no tiers"),
        (Retry(tiers=(0.0,)), "tier 0.0 is no time to wait"),
        (Retry(tiers=(nan,)), "tier nan is no time to wait"),
        (Retry(tiers=(inf,)), "tier inf is no time to wait"),
        (Retry(tiers=(0.0005,)), "whole milliseconds"),
        (Retry(tiers=(10.0, 10.0)), "do not ascend"),
        (Retry(tiers=(60.0, 10.0)), "do not ascend"),
        (Retry(immediate=0), "0 immediate of 12 attempts"),
        (Retry(immediate=3, attempts=2), "3 immediate of 2 attempts"),
        (Retry(jitter=-0.1), "jitter is -0.1"),
        (Retry(jitter=nan), "jitter is nan"),
        (Retry(afterwards="wait"), "'hold' or 'skip'"),  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
        (Retry(alarm=0), "alarm is at 0"),
        (Retry(alarm=11, bound=10), "its bound at 10"),
    ],
)
def test_a_policy_that_cannot_be_is_told_with_the_app(retry: Retry, problem: str) -> None:
    """Each mistake is one sentence that names the actor."""
    [found] = problems(retry)
    assert "retry policy of actor 'things'" in found
    assert problem in found


def test_every_problem_of_a_policy_is_told() -> None:
    """As everywhere: nobody wants to start five times."""
    assert len(problems(Retry(immediate=0, tiers=(5.0, 1.0), jitter=2.0, alarm=0))) == 4


@pytest.mark.parametrize(
    ("delay", "label"),
    [(10.0, "10s"), (60.0, "1m"), (600.0, "10m"), (90.0, "90s"), (0.5, "500ms"), (3600.0, "1h"), (86_400.0, "24h")],
)
def test_a_retry_topic_says_how_long(delay: float, label: str) -> None:
    """In the largest unit that takes it whole."""
    assert retry_topic("things", delay) == f"things-magnetar-things-RETRY-{label}"


@given(st.integers(1, 30 * 86_400_000))
def test_a_label_is_exact(milliseconds: int) -> None:
    """So two waits never share a topic, and a reader can tell the wait from the name."""
    label = retry_topic("things", milliseconds / 1_000).rpartition("-")[2]
    number = int("".join(each for each in label if each.isdigit()))
    assert number * UNITS["".join(each for each in label if each.isalpha())] == milliseconds


def test_an_actor_has_its_retry_topics_and_its_dead_letters() -> None:
    """With its own partitions; it subscribes to what comes back, and nobody to what does not."""
    wiring = app(Retry(tiers=(1.0, 60.0))).wire()
    plan = wiring.actors["things"]
    assert plan.retries == (("things-magnetar-things-RETRY-1s", 1.0), ("things-magnetar-things-RETRY-1m", 60.0))
    assert plan.dead_letters == "things-magnetar-things-DLQ"
    assert list(wiring.letters.values()) == [
        LetterTopic("things-magnetar-things-RETRY-1s", 3, ("magnetar-things",)),
        LetterTopic("things-magnetar-things-RETRY-1m", 3, ("magnetar-things",)),
        LetterTopic("things-magnetar-things-DLQ", 3, ()),
    ]
    assert not wiring.letters.keys() & wiring.topics.keys()
    assert [topic.name for topic in wiring.provisioned()] == [*wiring.topics, *wiring.letters]


@given(st.lists(st.integers(1, 10_000_000), min_size=1, max_size=6, unique=True))
def test_every_tier_has_a_topic_of_its_own(milliseconds: list[int]) -> None:
    """Whatever the waits are: a letter on another tier's topic would ring at the wrong time."""
    wiring = app(Retry(tiers=tuple(each / 1_000 for each in sorted(milliseconds)))).wire()
    assert len(wiring.letters) == len(milliseconds) + 1


@pytest.mark.parametrize("delay", [-1.0, nan, inf])
def test_a_delay_is_a_time_to_wait(delay: float) -> None:
    """The mistake is told where it is made."""
    with pytest.raises(MisuseError, match=r"rates are late.*0 or more"):
        TemporaryError("rates are late", delay=delay)


def test_an_error_says_what_its_handler_said() -> None:
    """Its text as it is, also in another process."""
    assert TemporaryError("rates are late").delay is None
    copy = pickle.loads(pickle.dumps(TemporaryError("rates are late", delay=30)))
    assert (str(copy), copy.delay) == ("rates are late", 30)
    assert str(PermanentError("no such sku")) == "no such sku"


def test_a_parked_key_says_what_to_do() -> None:
    """Above all not to ask the same thing again: it is kept, and would be done twice."""
    error = KeyParked("things", "t-1", "Go 0190 failed 3 times and is tried again at 10:00")
    assert "things/t-1 is parked: Go 0190 failed 3 times" in str(error)
    assert "instead of asking it again" in str(error)
