"""A ping is answered by any broker, fails when all have failed, and waits no longer than it may."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magnetar.runtime.bus.port import BusUnavailable, TopicMissing
from magnetar.runtime.bus.pulsar.ping import PulsarPing, Questions
from tests.unit.bus.pulsar.client_double import Result

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from magnetar.runtime.bus.pulsar.native import NativeClient, NativeResult


class Clock:
    """Seconds, moved by the test."""

    now = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now


class Desk:
    """A client that answers when it is told, and who asks it."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Callable[[NativeResult, Sequence[str]], object]]] = []
        self.clock = Clock()
        client: NativeClient = self  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
        self.questions = Questions(client, self.clock)

    def get_topic_partitions_async(self, topic: str, done: Callable[[NativeResult, Sequence[str]], object]) -> None:
        """As the client."""
        self.asked.append((topic, done))

    def ping(self, hosts: int = 1) -> PulsarPing:
        """A ping that may take two seconds."""
        asked = self.questions.ask("orders", hosts)
        return PulsarPing(asked, "ask for the partitions of orders", 2.0, self.clock)

    def answer(self, name: str = "Ok") -> None:
        """Answer the oldest question."""
        topic, done = self.asked.pop(0)
        done(Result(name), [f"orders-partition-{number}" for number in range(3)] if topic == "orders" else [topic])


def test_it_tells_how_long_the_answer_took() -> None:
    """None until it is there; then the same number for ever."""
    desk = Desk()
    ping = desk.ping()
    assert ping.poll() is None
    desk.clock.now = 0.5
    desk.answer()
    assert ping.poll() == 0.5
    desk.clock.now = 9.0
    assert ping.poll() == 0.5


def test_it_fails_at_its_deadline_and_stays_failed() -> None:
    """What comes later proves nothing of the time before."""
    desk = Desk()
    ping = desk.ping()
    desk.clock.now = 2.0
    assert ping.poll() is None
    desk.clock.now = 2.1
    with pytest.raises(BusUnavailable, match="orders: no broker has answered within 2 s"):
        ping.poll()
    desk.answer()
    with pytest.raises(BusUnavailable):
        ping.poll()


def test_an_answer_that_is_found_late_is_as_old_as_its_question() -> None:
    """A process that was frozen finds it in its socket: it says only that the broker was there when it was asked."""
    desk = Desk()
    ping = desk.ping()
    desk.clock.now = 30.0
    desk.answer()
    assert ping.poll() == 30.0


def test_a_question_that_is_open_is_not_asked_again() -> None:
    """The client would join the two, so the second ping is as old as the first; answered, the next one is new."""
    desk = Desk()
    desk.ping().abandon()
    desk.clock.now = 1.5
    second = desk.ping()
    assert len(desk.asked) == 1
    desk.clock.now = 3.0
    desk.answer()
    assert second.poll() == 3.0
    third = desk.ping()
    assert third.poll() is None
    desk.answer()
    assert third.poll() == 0.0


def test_as_many_are_asked_as_there_are_hosts() -> None:
    """About different topics, and not about one for which somebody still waits, as long as there are others."""
    desk = Desk()
    desk.ping(hosts=2)
    assert [topic for topic, _ in desk.asked] == ["orders", "orders-partition-0"]
    desk.answer()
    for wanted in (["orders", "orders-partition-1"], ["orders-partition-2"], []):
        before = len(desk.asked)
        desk.ping(hosts=2)
        assert [topic for topic, _ in desk.asked[before:]] == wanted


@pytest.mark.parametrize(("name", "kind"), [("TopicNotFound", TopicMissing), ("ConnectError", BusUnavailable)])
def test_the_broker_s_no_is_told_by_its_kind(name: str, kind: type[Exception]) -> None:
    """At once, without waiting for the deadline."""
    desk = Desk()
    ping = desk.ping()
    desk.answer(name)
    with pytest.raises(kind, match=f"orders: {name}"):
        ping.poll()


@given(st.lists(st.sampled_from(["", "Ok", "Timeout"]), min_size=1, max_size=4))
def test_one_good_answer_of_several_is_enough(answers: list[str]) -> None:
    """It fails early only when every question has failed."""
    desk = Desk()
    ping = desk.ping(hosts=len(answers))
    for (_, done), name in zip(desk.asked, answers, strict=True):
        if name:
            done(Result(name), [])
    if "Ok" in answers:
        assert ping.poll() == 0.0
    elif "" in answers:
        assert ping.poll() is None
    else:
        with pytest.raises(BusUnavailable):
            ping.poll()
