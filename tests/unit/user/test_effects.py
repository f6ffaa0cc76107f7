"""Effects as their users see them: declared, checked with the app, tried in a world."""

from __future__ import annotations

from typing import Any

import pytest

from magnetar.runtime import (
    Actor,
    App,
    AppInvalid,
    Breaking,
    Call,
    Command,
    Context,
    Dependency,
    Effect,
    Failed,
    Key,
    MisuseError,
    NotSent,
    Outcome,
    State,
    Unknown,
    World,
)
from magnetar.runtime.cli.contracts import contracts_of
from tests.unit.worker.shopfront import Charge, Charged, Declined, Pay, payments, psp, shopfront


class Go(Command):
    """Go."""

    key: Key


class Gone(State):
    """Gone."""

    told: int = 0


class Ring(Effect):
    """Ring a bell."""


class Rang(Outcome):
    """It rang."""


class Broke(Outcome):
    """It broke."""


class RingUnknown(Unknown):
    """Who knows."""


def go(state: Gone, message: Go, context: Context) -> Gone:
    """Ask."""
    context.effect(Ring())
    return state


def rang(state: Gone, message: Rang, context: Context) -> Gone:
    """Told."""
    return state


def broke(state: Gone, message: Broke, context: Context) -> Gone:
    """Told."""
    return state


def unknown(state: Gone, message: RingUnknown, context: Context) -> Gone:
    """Told."""
    return state


def ring(request: Ring, call: Call) -> Rang | Failed[Broke]:
    """Nobody is there."""
    raise NotSent("nobody")


def bare(request: Ring, call: Call) -> str:
    """What it returns is no outcome."""
    return ""


def silent(request: Ring, call: Call) -> Rang:
    """It says nothing of its types."""
    return Rang()


silent.__annotations__.clear()


def gong(request: Go, call: Call) -> Rang:
    """What it takes is no effect."""
    return Rang()


def short(request: Ring) -> Rang:
    """It takes no call."""
    return Rang()


def poor(request: Charge, call: Call) -> Failed[Declined]:
    """The outside says no."""
    return Failed(Declined(reason="poor"), final=True)


def number(request: Charge, call: Call) -> Charged:
    """The outside counts attempts."""
    return Charged(reference=str(call.attempt))


def name(request: Charge, call: Call) -> Charged:
    """The outside tells the order."""
    return Charged(reference=request.order)


BELL = Dependency("bell")
HANDLERS: tuple[Any, ...] = (go, rang, broke, unknown)


def bell(
    function: Any = ring, dependency: Dependency = BELL, told: type[Unknown] = RingUnknown, *, without: Any = None
) -> Actor[Gone]:
    """An actor that rings, with one thing wrong."""
    actor = Actor("bell", Gone)
    for handler in HANDLERS:
        if handler is not without:
            actor.handles(handler)
    if function is not None:
        actor.effect(dependency, unknown=told)(function)
    return actor


@pytest.mark.parametrize(
    ("actor", "says"),
    [
        (bell(without=rang), "may tell Rang, which actor 'bell' does not handle; write its handler"),
        (bell(without=broke), "may tell Broke, which actor 'bell' does not handle"),
        (bell(without=unknown), "may tell RingUnknown, which actor 'bell' does not handle"),
        (bell(function=None), "names effect Ring, for which actor 'bell' has no function; mark one"),
        (bell(function=None), "actor 'bell' handles Rang, which no effect of it tells"),
        (bell(bare), "returns <class 'str'>: it returns outcomes"),
        (bell(silent), "annotate 'request'"),
        (bell(gong), "is no Effect; derive it from one"),
        (bell(short), "must be a function of (request, call)"),
        (bell(told=Unknown), "derive a class from Unknown"),
        (bell(dependency=Dependency("bell", threads=0)), "each is 1 at least"),
        (bell(dependency=Dependency("bell", timeout=0.0)), "both are numbers above 0"),
        (bell(dependency=Dependency("bell", tiers=(5.0, 1.0))), "ascending"),
        (bell(dependency=Dependency("bell", jitter=2.0)), "its jitter is 2.0"),
        (bell(dependency=Dependency("b" * 64)), "becomes a label"),
        (bell(dependency=Dependency("bell", breaking=Breaking(share=0.0))), "breaks at a share of 0.0"),
        (bell(dependency=Dependency("bell", breaking=Breaking(least=30))), "breaks after 30 of the last 20"),
        (bell(dependency=Dependency("bell", breaking=Breaking(probes=0))), "and 1 probe"),
    ],
)
def test_a_declaration_that_cannot_work_is_told_with_its_remedy(actor: Actor[Gone], says: str) -> None:
    """Before anything runs, as every problem is."""
    with pytest.raises(AppInvalid) as caught:
        App("bells", actor).wire()
    assert [each for each in caught.value.problems if says in each]


def test_a_dependency_is_one_value() -> None:
    """Two actors that call the same service share its limits, so they may not name others."""
    other = Actor("other", Gone)
    for handler in HANDLERS:
        other.handles(handler)
    other.effect(Dependency("bell", threads=9), unknown=RingUnknown)(ring)
    with pytest.raises(AppInvalid, match="declared with other limits a second time"):
        App("bells", bell(), other).wire()


def test_requests_and_outcomes_are_contracts() -> None:
    """They are stored, so they stand in the compatibility gate."""
    kinds = set(contracts_of(shopfront.wire()).bodies)
    assert {Charge, Charged, Declined} <= kinds


def test_a_world_tells_what_it_was_asked() -> None:
    """The outside is whatever the test says, at any time."""
    with World(shopfront, effects={Charge: name}) as world:
        world.send(Pay(order="o-1"))
        assert world.state(payments, "o-1").told == ("charged o-1",)
        world.effects[Charge] = poor
        world.send(Pay(order="o-2"))
        assert world.state(payments, "o-2").told == ("declined poor",)
        assert [(request.order, call.attempt) for request, call in world.calls(Charge)] == [("o-1", 1), ("o-2", 1)]


def test_a_world_asks_again_in_its_own_time() -> None:
    """With the same key, and after a crash too."""

    def torn(request: Charge, call: Call) -> Charged:
        raise TimeoutError

    with World(shopfront, effects={Charge: torn}) as world:
        world.send(Pay(order="o-1"))
        world.crash()
        world.effects[Charge] = number
        world.advance(psp.tiers[0])
        assert world.state(payments, "o-1").told == ("charged 2",)
        assert len({call.idempotency_key for _, call in world.calls(Charge)}) == 1


def test_an_outside_that_nobody_has_written_is_a_misuse() -> None:
    """The message says what to write."""
    with World(shopfront) as world, pytest.raises(MisuseError, match=r"World\(…, effects=\{Charge: lambda"):
        world.send(Pay(order="o-1"))
