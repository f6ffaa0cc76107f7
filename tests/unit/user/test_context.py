"""A handler's context: the same message sees the same one, and what cannot be is refused in place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magnetar.runtime import Command, Context, Envelope, Event, Key, MisuseError, Timer
from magnetar.runtime.instant import to_datetime


class Go(Command):
    """Go."""

    key: Key


class Gone(Event):
    """Gone."""

    key: Key


class Late(Timer):
    """Too late."""


NOW = 1_800_000_000_000_000
ENVELOPE = Envelope("id", "k", "Go", "", "story", "", NOW, None, 0, "go/0")


NOBODY = bytes(16)


def context(message_id: bytes = NOBODY) -> Context:
    """As the engine makes it."""
    return Context("k", message_id, NOW, ENVELOPE)


def play(on: Context, deeds: list[int]) -> list[object]:
    """Do these deeds; what they showed."""
    shown: list[object] = []
    for deed in deeds:
        match deed:
            case 0:
                on.send(Go(key="x"))
            case 1:
                on.publish(Gone(key="x"))
            case 2:
                on.schedule(Late(), after=1)
            case 3:
                on.cancel(Late)
            case _:
                shown.append(on.new_id())
    return [shown, on.sent, on.armed, on.cancelled, on.now]


DEEDS = st.lists(st.integers(0, 4), max_size=12)


@given(st.binary(min_size=16, max_size=16), DEEDS)
def test_the_same_message_sees_the_same_context(message_id: bytes, deeds: list[int]) -> None:
    """R5: ids, timers, order and time, whatever the handler does."""
    assert play(context(message_id), deeds) == play(context(message_id), deeds)


@given(st.binary(min_size=16, max_size=16), DEEDS)
def test_every_id_is_given_once(message_id: bytes, deeds: list[int]) -> None:
    """Messages, timers and `new_id` draw from one row of ordinals, each shaped as a UUID of version 7."""
    made = context(message_id)
    fresh: Any = play(made, deeds)[0]
    ids = (
        [each.bytes for each in fresh]
        + [each.message_id for each in made.sent]
        + [each.message_id for each in made.armed.values()]
    )
    assert len(set(ids)) == len(ids)
    assert all(each[6] >> 4 == 7 for each in ids)


def test_now_is_the_messages_time() -> None:
    """Aware UTC, and not the clock's."""
    assert context().now == to_datetime(NOW) == context().now
    assert context().now.tzinfo is UTC


@pytest.mark.parametrize("after", [0.0, 1800, 0.000001])
def test_after_counts_from_the_messages_time(after: float) -> None:
    """In seconds; a time already past is now."""
    made = context()
    made.schedule(Late(), after=after)
    made.schedule(Late(), after=-5, name="past")
    assert made.armed["Late"].due == NOW + round(after * 1_000_000)
    assert made.armed["past"].due == NOW


def test_at_names_an_instant() -> None:
    """An aware one."""
    made = context()
    made.schedule(Late(), at=to_datetime(NOW) + timedelta(hours=1))
    assert made.armed["Late"].due == NOW + 3_600_000_000
    with pytest.raises(ValueError, match="no time zone"):
        made.schedule(Late(), at=datetime(2030, 1, 1))  # noqa: DTZ001 - wrong on purpose


def test_a_name_is_a_timer() -> None:
    """Scheduling replaces, cancelling forgets; the type's name is the default."""
    made = context()
    made.schedule(Late(), after=1)
    made.schedule(Late(), after=2)
    made.schedule(Late(), after=3, name="other")
    made.cancel(Late)
    assert list(made.armed) == ["other"]
    assert made.cancelled == ["Late"]


@pytest.mark.parametrize(
    ("call", "wrong", "says"),
    [
        ("send", Gone(key="x"), r"send\(\) takes a Command.*not Gone"),
        ("send", "Go", r"send\(\) takes a Command.*not str"),
        ("publish", Go(key="x"), r"publish\(\) takes an Event.*not Go"),
        ("schedule", Go(key="x"), r"schedule\(\) takes a Timer.*not Go"),
    ],
)
def test_what_goes_another_way_is_refused(call: str, wrong: object, says: str) -> None:
    """With the way that it should go."""
    with pytest.raises(MisuseError, match=says):
        getattr(context(), call)(wrong)


@pytest.mark.parametrize("when", [{}, {"after": 1.0, "at": datetime(2030, 1, 1, tzinfo=UTC)}])
def test_a_timer_wants_one_time(when: dict[str, Any]) -> None:
    """Neither none nor two."""
    with pytest.raises(MisuseError, match="exactly one of"):
        context().schedule(Late(), **when)


def test_a_handler_is_a_plain_function() -> None:
    """A context made by hand is enough to call one."""
    made = context()

    def handler(count: int, message: Go, context: Context) -> int:
        context.send(Go(key=message.key))
        return count + 1

    assert handler(1, Go(key="y"), made) == 2
    assert [each.message for each in made.sent] == [Go(key="y")]
    assert made.envelope.correlation_id == "story"
    assert made.envelope.occurred_at == to_datetime(NOW)
