"""Openings arrive in the client's thread and are owned by exactly one side; closings wait no longer than they may."""

from __future__ import annotations

import time
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from magnetar.runtime.bus.port import BusUnavailable, Busy, TopicMissing
from magnetar.runtime.bus.pulsar import native
from magnetar.runtime.bus.pulsar.closing import Farewell
from magnetar.runtime.bus.pulsar.opening import EXPLANATION, Arrival, PulsarOpening
from tests.unit.bus.pulsar.client_double import Closing, Result

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.runtime.bus.pulsar.native import NativeResult


@dataclass(frozen=True)
class Failed:
    """What the client gives to an opening that failed."""

    error: Result
    message: str = "said the broker"


@pytest.fixture(autouse=True)
def errors_are_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client's error class cannot be made by hand."""

    def is_error(outcome: object) -> bool:
        return isinstance(outcome, Failed)

    monkeypatch.setattr(native, "is_error", is_error)


def opening(
    arrival: Arrival[Closing], deadline: float = 60.0, absent: Future[bool] | None = None
) -> PulsarOpening[Closing, str]:
    """An opening whose thing is a text."""
    ask = None if absent is None else lambda: absent
    return PulsarOpening(arrival, lambda _: "opened", "subscribe to orders/0", deadline, ask)


def test_it_is_none_until_it_is_there() -> None:
    """`poll` answers at once, either way."""
    arrival: Arrival[Closing] = Arrival()
    polled = opening(arrival)
    assert polled.poll() is None
    arrival(Closing())
    assert polled.poll() == "opened"


def test_the_broker_s_no_is_raised_each_time() -> None:
    """The error has the broker's words and what was being opened."""
    arrival: Arrival[Closing] = Arrival()
    arrival(Failed(Result("ConsumerBusy")))
    polled = opening(arrival)
    for _ in range(2):
        with pytest.raises(Busy, match=r"orders/0.*said the broker"):
            polled.poll()


@pytest.mark.parametrize("first", ["abandoned", "arrived", "polled"])
def test_an_abandoned_thing_is_closed_once(first: str) -> None:
    """Whether it arrives before or after, and also when it was polled already."""
    arrival: Arrival[Closing] = Arrival()
    polled, thing = opening(arrival), Closing()
    if first == "abandoned":
        polled.abandon()
        arrival(thing)
    else:
        arrival(thing)
        assert first == "arrived" or polled.poll() == "opened"
        polled.abandon()
    assert thing.closed == 1


def test_a_late_failure_of_an_abandoned_opening_is_dropped() -> None:
    """There is nothing to close."""
    arrival: Arrival[Closing] = Arrival()
    opening(arrival).abandon()
    arrival(Failed(Result("Timeout")))
    assert arrival.take() is None


def test_a_client_that_never_answers_is_given_up() -> None:
    """After the deadline the opening fails, and what comes later is closed."""
    arrival: Arrival[Closing] = Arrival()
    polled, thing = opening(arrival, deadline=-1.0), Closing()
    with pytest.raises(BusUnavailable, match="not answered"):
        polled.poll()
    arrival(thing)
    assert thing.closed == 1
    with pytest.raises(BusUnavailable):
        polled.poll()


@pytest.mark.parametrize(("absent", "kind"), [(True, TopicMissing), (False, BusUnavailable), (None, BusUnavailable)])
def test_a_time_out_is_looked_into(absent: bool | None, kind: type[Exception]) -> None:  # noqa: FBT001
    """A missing subscription looks like a time-out to the client; somebody else is asked, without blocking."""
    arrival: Arrival[Closing] = Arrival()
    arrival(Failed(Result("Timeout")))
    asked: Future[bool] = Future()
    polled = opening(arrival, absent=asked)
    assert polled.poll() is None
    assert polled.poll() is None
    if absent is None:
        asked.set_exception(BusUnavailable("no answer over there either"))
    else:
        asked.set_result(absent)
    for _ in range(2):
        with pytest.raises(kind, match="orders/0"):
            polled.poll()


def poll_on(polled: PulsarOpening[Closing, str], within: float) -> None:
    """Until it is there or fails, for so many seconds at most."""
    until = time.monotonic() + within
    while polled.poll() is None:
        assert time.monotonic() < until


@pytest.mark.parametrize("is_asked", [False, True])
def test_who_does_not_say_why_is_not_waited_for(*, is_asked: bool) -> None:
    """Its REST API is as silent as a frozen broker: the time-out is told as it is, soon, and the next try begins."""
    arrival: Arrival[Closing] = Arrival()
    arrival(Failed(Result("Timeout")))
    asked: Future[bool] = Future()
    if is_asked:
        asked.set_running_or_notify_cancel()
    polled = opening(arrival, absent=asked)
    began = time.monotonic()
    with pytest.raises(BusUnavailable, match=r"orders/0.*whether it happened is unknown"):
        poll_on(polled, within=4 * EXPLANATION)
    assert time.monotonic() - began >= EXPLANATION
    assert asked.cancelled() is not is_asked, "a question that was put already goes on"
    with pytest.raises(BusUnavailable):
        polled.poll()


def test_a_silent_broker_costs_one_patience_only() -> None:
    """Sixteen things closed in front of a frozen broker wait once, not sixteen times."""
    farewell = Farewell(0.05)
    things = [Closing(silent=True) for _ in range(16)]
    started = time.monotonic()
    assert [farewell.close(thing) for thing in things] == [False] * 16
    assert time.monotonic() - started < 0.4
    assert all(thing.closed == 1 for thing in things)
    assert farewell.close(Closing())


class Asked:
    """Something that is closed when the test says so."""

    def __init__(self) -> None:
        self.answers: list[Callable[[NativeResult], object]] = []

    def close_async(self, done: Callable[[NativeResult], object]) -> None:
        """As the client."""
        self.answers.append(done)


def test_a_broker_that_answers_late_is_waited_for_again() -> None:
    """The answer to an unanswered close restores the patience."""
    thing, farewell = Asked(), Farewell(0.01)
    assert not farewell.close(thing)
    assert not farewell._answering()
    thing.answers[0](Result())
    assert farewell._answering()


def test_neither_the_client_nor_another_broker_answers_for_a_silent_one() -> None:
    """A worker that closes what two brokers have, in turns, waits for the silent one once in a while, not each time."""
    now = [0.0]
    thing, farewell = Asked(), Farewell(0.01, lambda: now[0])
    assert not farewell.close(thing)
    other = Asked()
    assert not farewell.close(other)
    other.answers[0](Result())
    assert farewell.close(Closing())
    assert not farewell._answering()
    thing.answers[0](Result("Timeout"))
    assert not farewell._answering()
    now[0] = 0.051
    assert farewell._answering()


def test_nobody_waits_for_a_broker_that_is_known_to_be_silent() -> None:
    """It is closed all the same."""
    silent, thing = [True], Closing(silent=True)
    farewell = Farewell(30.0, silent=lambda: silent[0])
    assert not farewell.close(thing)
    assert thing.closed == 1
    silent[0] = False
    assert farewell._answering()
