"""`survives` finds what is wrong with an actor and tells it shortly; actors that are right pass."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from magnetar.chaos import NotSurvived, Troubles, survives
from magnetar.runtime import Actor, Context, HandlerFailed, MisuseError, World, replace
from tests.unit.chaos.kiosk import (
    ORDERS,
    Ask,
    Charge,
    Granted,
    Order,
    Overdue,
    Pay,
    Place,
    Rename,
    books_agree,
    kiosk,
    kiosk_with_stock,
    overdue,
    pay_every_time,
    pay_once_or_raise,
    place,
    rename_always,
    story,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.runtime import App

CHARGED = 'assert charged == ([10] if order.status == "paid" else [])'


def found(app: App, check: Callable[[World], None] | None = books_agree, **only: bool) -> list[str]:
    """The lines of what is found."""
    with pytest.raises(NotSurvived) as broken:
        survives(app, story, check=check, troubles=Troubles(**only))
    assert broken.value.seed is not None
    return str(broken.value).splitlines()


# actors with a bug


def pay_without_cancelling(order: Order, message: Pay, context: Context) -> Order:
    """Forgets the timer."""
    if order.status != "placed":
        return order
    context.send(Charge(card=context.key, amount=message.amount))
    return replace(order, status="paid", paid=order.paid + message.amount)


def place_every_time(order: Order, message: Place, context: Context) -> Order:
    """Arms the timer of an order that was paid."""
    context.schedule(Overdue(), after=1800)
    return replace(order, status="placed") if order.status == "new" else order


def test_a_second_click_that_is_charged_is_found() -> None:
    """Told with the one trouble that it takes, and nothing else."""
    text = "\n".join(found(kiosk(pay=pay_every_time), late=False, race=False))
    assert re.sub(r"seed \d+|\[\d+\](?=\)$)|py:\d+", "?", text).splitlines() == [
        "story passes without trouble, but with ? it does not survive this:",
        "          0:01:00  Pay(order_id='o-1', amount=10) is sent again under a new id: a second click",
        f"             then  books_agree fails (kiosk.?): AssertionError: {CHARGED}",
        "To see it again: survives(…, seeds=?)",
    ]


def test_a_timer_that_is_not_cancelled_is_found() -> None:
    """By a message that is in a race with it."""
    lines = found(kiosk(pay=pay_without_cancelling))
    assert len(lines) == 4
    assert "timer Overdue of 'o-1'" in lines[1]


def test_a_timer_that_is_armed_again_is_found() -> None:
    """By a second click on the button before."""

    def nothing_is_armed(world: World) -> None:
        assert world.state(ORDERS, "o-1").status != "paid" or world.timers(ORDERS, "o-1") == []

    lines = found(kiosk(place=place_every_time), nothing_is_armed)
    assert len(lines) == 4
    assert "Place(order_id='o-1') is sent again" in lines[1]


def test_a_state_that_a_late_message_overwrites_is_found() -> None:
    """By the older name that comes after the newer."""
    lines = found(kiosk(rename=rename_always), again=False)
    assert len(lines) == 4
    assert "name='Ada', revision=1), sent at 0:01:00, arrives only now" in lines[1]


def test_a_handler_that_raises_is_found() -> None:
    """Though no check was written."""
    lines = found(kiosk(pay=pay_once_or_raise), None)
    assert len(lines) == 4
    assert "is sent again" in lines[1]
    assert lines[2].endswith("LookupError: nothing to pay")
    assert "handling tests.Pay for 'o-1' fails (kiosk.py:" in lines[2]


def test_an_answer_that_is_taken_for_granted_is_found() -> None:
    """By an event that another actor's broker hands on late."""

    def place_and_ask(order: Order, message: Place, context: Context) -> Order:
        context.send(Ask(sku="tea", order_id=context.key))
        return replace(order, status="placed")

    def granted(order: Order, message: Granted, context: Context) -> Order:
        return replace(order, status="granted") if order.status == "placed" else order

    def pay_when_granted(order: Order, message: Pay, context: Context) -> Order:
        if order.status == "placed":
            raise LookupError("not granted yet")
        return order

    lines = found(kiosk_with_stock(place=place_and_ask, granted=granted, pay=pay_when_granted), None)
    assert len(lines) == 4
    assert "the broker does not hand on" in lines[1]
    assert "LookupError: not granted yet" in lines[2]


def test_what_a_handler_remembers_outside_the_state_is_found() -> None:
    """The journal, handled again, comes to something else."""
    seen: set[str] = set()

    def rename_unless_seen(order: Order, message: Rename, context: Context) -> Order:
        if context.envelope.message_id in seen:
            return order
        seen.add(context.envelope.message_id)
        return replace(order, name=message.name)

    with pytest.raises(NotSurvived, match="replay arrives at the same state"):
        survives(kiosk(rename=rename_unless_seen), story)


def test_a_handler_that_is_run_again_after_a_crash_is_noticed() -> None:
    """A crash between a handler and its commit is among the troubles."""
    calls: list[str] = []

    def counted(order: Order, message: Rename, context: Context) -> Order:
        calls.append(message.name)
        return replace(order, name=message.name)

    def told(world: World) -> None:
        calls.clear()
        story(world)

    def once(world: World) -> None:
        assert len(calls) == 2

    with pytest.raises(NotSurvived, match="the worker crashes at"):
        survives(kiosk(rename=counted), told, check=once, troubles=Troubles(again=False))


def test_what_never_comes_to_rest_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two messages that call each other for ever, once somebody has clicked twice."""
    monkeypatch.setattr("magnetar.chaos.trials.world.TrialWorld.patience", 500)

    def place_for_ever(order: Order, message: Place, context: Context) -> Order:
        if order.status == "placed":
            context.send(message)
        return replace(order, status="placed")

    lines = found(kiosk(place=place_for_ever), None)
    assert "is sent again" in lines[1]
    assert "the world did not come to rest" in lines[2]


# actors without one


def test_an_actor_that_is_right_survives() -> None:
    """Nothing is found where nothing is wrong."""
    survives(kiosk(), story, check=books_agree, seeds=300)


def test_actors_that_talk_to_each_other_survive() -> None:
    """Also when what they say is late."""

    def place_and_ask(order: Order, message: Place, context: Context) -> Order:
        if order.status != "new":
            return order
        context.send(Ask(sku="tea", order_id=context.key))
        return replace(order, status="asked")

    def granted(order: Order, message: Granted, context: Context) -> Order:
        return replace(order, status="placed") if order.status == "asked" else order

    survives(kiosk_with_stock(place=place_and_ask, granted=granted), story, check=books_agree, seeds=150)


def test_one_actor_is_an_app() -> None:
    """As in a `World`."""
    orders = Actor("orders", Order)
    orders.handlers.extend((place, overdue))
    survives(orders, lambda world: world.send(Place(order_id="o-1")), seeds=20)


# what it says


def test_a_story_that_fails_by_itself_is_no_finding() -> None:
    """No seed is tried, and it says so."""

    def wrong(world: World) -> None:
        assert world.state(ORDERS, "o-1").status == "cancelled"

    with pytest.raises(NotSurvived) as broken:
        survives(kiosk(), story, check=wrong)
    assert broken.value.seed is None
    first, second = str(broken.value).splitlines()
    assert first == "story fails without any trouble; no seed was tried:"
    assert second.startswith("  wrong fails (test_trials.py:")
    assert isinstance(broken.value.__cause__, AssertionError)


def test_a_failure_that_is_no_exception_is_a_failure() -> None:
    """`pytest.fail`, and a `pytest.raises` that nothing raised, are none."""

    def refuse(world: World) -> None:
        with pytest.raises(HandlerFailed):
            world.send(Place(order_id="o-2"))

    with pytest.raises(NotSurvived, match=r"refuse fails .*DID NOT RAISE"):
        survives(kiosk(), story, check=refuse)


def test_whoever_interrupts_a_trial_ends_it() -> None:
    """It is no finding."""

    def interrupted(world: World) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        survives(kiosk(), interrupted)


def test_a_misuse_of_the_world_keeps_its_words() -> None:
    """What a world refuses, it refuses in a trial."""
    with pytest.raises(NotSurvived, match="MisuseError: 'nobody' publishes nothing") as broken:
        survives(kiosk(), lambda world: world.publish(Granted(order_id="o-1"), by="nobody"))
    assert isinstance(broken.value.__cause__, MisuseError)
