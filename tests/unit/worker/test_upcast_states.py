"""One release after the other on one store: states, timers and answers of before are upcast, or wait for who can."""

from __future__ import annotations

from collections import Counter
from typing import Any, cast

from magnetar.runtime import Actor, App, Client, Command, Context, Key, Policy, Retry, State, Timer, World, replace
from magnetar.runtime.bus.memory import MemoryBus
from magnetar.runtime.store.parking import Reason
from magnetar.runtime.store.port import Disposition
from magnetar.schemas import upcast

POLICY = Policy(partitions=1, retry=Retry(immediate=1, tiers=(60.0,), jitter=0.0))


class Place(Command):
    """One more."""

    order: Key


class Remind1(Timer):
    """As it was."""

    __contract__ = "Remind"
    days: int = 0


class Remind(Timer):
    """As it is."""

    hours: int = 0

    @upcast(Remind1)
    @staticmethod
    def in_hours(old: Remind1) -> Remind:
        """A day has so many."""
        return Remind(hours=old.days * 24)


class Plain(State):
    """One that has all, and does not change."""

    hours: int = 0
    days: int = 0
    placed: int = 0


class Order1(State):
    """As it was."""

    __contract__ = "Order"
    days: int = 0
    placed: int = 0


class Order(State):
    """As it is."""

    placed: int = 0
    hours: int = 0

    @upcast(Order1)
    @staticmethod
    def in_hours(old: Order1) -> Order:
        """Not of everybody."""
        if old.placed > 1:
            raise KeyError("a rate for so many")
        return Order(hours=old.days * 24, placed=old.placed)


class Mended(State):
    """The same contract, with an upcast that knows all of them."""

    __contract__ = "Order"
    placed: int = 0
    hours: int = 0

    @upcast(Order1)
    @staticmethod
    def in_hours(old: Order1) -> Mended:
        """Of everybody."""
        return Mended(hours=old.days * 24, placed=old.placed)


def shop(state: type[Any], timer: type[Any], unit: str) -> App:
    """A release; what its state and its timer count is called `unit`."""
    orders = Actor("orders", state, policy=POLICY)

    def place(order: Any, message: Any, context: Context) -> Any:
        context.schedule(timer(**{unit: 2}), after=3600)
        return replace(order, placed=order.placed + 1)

    def remind(order: Any, message: Any, context: Context) -> Any:
        return replace(order, **{unit: getattr(order, unit) + getattr(message, unit)})

    place.__annotations__ = {"order": state, "message": Place, "context": Context, "return": state}
    remind.__annotations__ = {"order": state, "message": timer, "context": Context, "return": state}
    orders.handles(place)
    orders.handles(remind)
    return App("shop", orders)


OLD, NEW, MENDED = shop(Order1, Remind1, "days"), shop(Order, Remind, "hours"), shop(Mended, Remind, "hours")


def deploy(world: World, app: App) -> Actor[Any]:
    """Its worker dies, and one of another release starts on the same store and broker."""
    world.wiring = app.wire()
    world.crash()
    return app.actors[0]


def parked(world: World, key: str) -> tuple[str, str]:
    """Why the key waits, and what is told of it."""
    views = world.database.views()
    try:
        found = views.parked_key("orders", key)
        assert views.dead_letters() == []
    finally:
        views.close()
    return ("", "") if found is None else (found.reason, found.error_text)


def test_states_and_timers_of_before_are_upcast() -> None:
    """Loaded, stepped and saved as what they are now; what is not stepped is shown so, too."""
    with World(OLD, parks=True) as world:
        world.send(Place(order="o-1"))
        world.send(Place(order="o-2"))
        orders = deploy(world, NEW)
        assert world.state(orders, "o-1") == Order(hours=0, placed=1)
        world.advance(3600)
        assert world.state(orders, "o-1") == Order(hours=48, placed=1)
        world.send(Place(order="o-2"))
        assert world.state(orders, "o-2") == Order(hours=48, placed=2)


def test_a_state_that_cannot_be_upcast_waits_for_code_that_can() -> None:
    """Its key alone, and no attempt is spent; the worker lives, and newer code goes on in order."""
    with World(OLD, parks=True) as world:
        world.send(Place(order="bad"))
        world.send(Place(order="bad"))
        world.send(Place(order="good"))
        orders = deploy(world, NEW)
        world.send(Place(order="bad"), id="third")
        world.send(Place(order="good"))
        reason, text = parked(world, "bad")
        assert reason == Reason.UNREAD
        assert "the state of orders/bad cannot be loaded: " in text
        assert "at $: upcast Order.in_hours raised KeyError: 'a rate for so many'" in text
        assert world.state(orders, "good").placed == 2
        world.advance(7200)
        assert world.state(orders, "good").hours == 2
        assert parked(world, "bad")[0] == Reason.UNREAD
        orders = deploy(world, MENDED)
        world.advance(1)
        assert world.state(orders, "bad") == Mended(hours=0, placed=3)
        assert parked(world, "bad") == ("", "")
        ended = Counter(row.disposition for row in world.journal(orders, "bad"))
        assert ended == {Disposition.APPLIED: 3, Disposition.SKIPPED: 1}, "the third has set the timer anew"
        world.advance(3600)
        assert world.state(orders, "bad") == Mended(hours=2, placed=3)


def test_older_code_leaves_what_newer_has_written_alone() -> None:
    """After going back: states, timers, and what is sent to them wait; nothing is a dead letter."""
    with World(NEW, parks=True) as world:
        world.send(Place(order="o-1"))
        orders = deploy(world, OLD)
        world.send(Place(order="o-1"))
        assert parked(world, "o-1")[0] == Reason.UNREAD
        world.advance(3600)
        orders = deploy(world, NEW)
        world.advance(1)
        assert world.state(orders, "o-1").placed == 2
        assert parked(world, "o-1") == ("", "")


def test_a_newer_timer_waits_in_older_code() -> None:
    """It is no dead letter: also where only the timer has changed, and the state is one that older code can load."""
    newer, older = shop(Plain, Remind, "hours"), shop(Plain, Remind1, "days")
    with World(newer, parks=True) as world:
        world.send(Place(order="o-1"))
        deploy(world, older)
        world.advance(3600)
        reason, text = parked(world, "o-1")
        assert reason == Reason.UNREAD
        assert "tests.Remind has no reader here" in text
        orders = deploy(world, newer)
        world.advance(1)
        assert world.state(orders, "o-1") == Plain(placed=1, hours=2)
        assert parked(world, "o-1") == ("", "")


def test_an_answer_of_before_is_upcast_for_who_asks_again() -> None:
    """The same question has the same answer, whatever was deployed meanwhile."""
    with World(OLD, parks=True) as world:
        views = world.database.views()
        first = cast("Any", world)._client.ask(Place(order="o-1"), id="q")
        assert first.state == Order1(placed=1)
        deploy(world, NEW)
        world.send(Place(order="o-1"))
        asker = Client(NEW.wire(), MemoryBus(world.broker, "asker"), views, moments=cast("Any", world)._client._moments)
        assert asker.ask(Place(order="o-1"), id="q").state == Order(hours=0, placed=1)
        asker.close()
        views.close()
