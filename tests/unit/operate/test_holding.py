"""What a release could not read of a store that the release before has filled: counted, named, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Annotated

import pytest

from magnetar.runtime import (
    Actor,
    App,
    Call,
    Command,
    Context,
    Dependency,
    Effect,
    Key,
    NotSent,
    Outcome,
    PermanentError,
    Policy,
    Retry,
    State,
    TemporaryError,
    Timer,
    Unknown,
    World,
    replace,
)
from magnetar.runtime.operate.holding import Holding, survey
from magnetar.runtime.store.port import Taker
from magnetar.schemas import Doc
from tests.contract.store.harness import Owner, epoch_of
from tests.contract.store.rows import outbox_row

Which = Annotated[Key, Doc("which order")]
POLICY = Policy(partitions=2, retry=Retry(immediate=1, tiers=(60.0,), jitter=0.0))


class Place(Command):
    """Fills the store with a state, a timer and an effect."""

    order: Which


class Sulk(Command):
    """Is parked."""

    order: Which


class Spoil(Command):
    """Is a dead letter."""

    order: Which


class Overdue(Timer):
    """Comes later."""


class Charge(Effect):
    """Take the money."""


class Charged(Outcome):
    """It was taken."""


class ChargeUnknown(Unknown):
    """Nobody knows."""


class Order(State):
    """An order."""

    placed: Annotated[int, Doc("how often")] = 0


class Other(State):
    """What an order has become."""

    __namespace__ = "tests"
    placed: str = ""


Other.__name__ = "Order"  # to Avro it is the same contract


def place(order: Order, message: Place, context: Context) -> Order:
    """All of it."""
    context.schedule(Overdue(), after=1800)
    context.effect(Charge())
    return replace(order, placed=order.placed + 1)


def plain(order: Order, message: Place, context: Context) -> Order:
    """A later release's: it makes nothing."""
    return order


def sulk(order: Order, message: Sulk, context: Context) -> Order:
    """Not now."""
    raise TemporaryError("later")


def spoil(order: Order, message: Spoil, context: Context) -> Order:
    """Never."""
    raise PermanentError("no")


def overdue(order: Order, message: Overdue, context: Context) -> Order:
    """It is."""
    return order


def charged(order: Order, message: Charged, context: Context) -> Order:
    """It was."""
    return order


def who_knows(order: Order, message: ChargeUnknown, context: Context) -> Order:
    """Nobody."""
    return order


def charge(request: Charge, call: Call) -> Charged:
    """Never called here."""
    raise NotImplementedError


PSP = Dependency("psp")
HANDLERS: tuple[Callable[..., Order], ...] = (sulk, spoil, overdue, charged, who_knows)
MADE = (charged, who_knows)


def shop(*, without: tuple[object, ...] = (), contracts: int = 0, name: str = "orders") -> App:
    """The app, without some of its functions."""
    orders = Actor(name, Order, policy=POLICY)
    orders.handles(plain if without else place)
    for handler in HANDLERS:
        if handler not in without:
            orders.handles(handler)
    if charge not in without:
        orders.effect(PSP, unknown=ChargeUnknown)(charge)
    return App("shop", orders, contracts=contracts)


SHOP, LATER = shop(), shop(without=(overdue,))
"""For the command line: the release itself, and one that has no handler for a timer any more."""


def away(request: Charge, call: Call) -> Charged:
    """The provider cannot be reached."""
    raise NotSent("no route")


@pytest.fixture
def world() -> Generator[World]:
    """A store with something of each kind in it."""
    with World(shop(), parks=True, effects={Charge: away}) as world:
        world.send(Place(order="o-1"), id="place-1")
        world.send(Place(order="o-2"), id="place-2")
        world.send(Sulk(order="s-1"), id="sulk")
        world.send(Spoil(order="d-1"), id="spoil")
        world.advance(1)  # what is published leaves the outbox
        yield world


def surveyed(world: World, app: App, most: int = 20) -> Holding:
    """What it would be to that app."""
    held = world.database.held()
    try:
        return survey(held, app.wire(), most)
    finally:
        held.close()


def lost(holding: Holding) -> dict[tuple[str, str], int]:
    """How many rows of which kind and type could not be read."""
    return {(each.what, each.type.rpartition(".")[2]): each.rows for each in holding.unreadable}


def test_the_release_itself_reads_all_of_it(world: World) -> None:
    """Counted by kind and type."""
    found = surveyed(world, shop())
    assert found.well
    assert {(each.what, each.type.rpartition(".")[2]): each.rows for each in found.held} == {
        ("states", "Order"): 2,
        ("timers", "Overdue"): 2,
        ("parked", "Sulk"): 1,
        ("letters", "Spoil"): 1,
        ("effects", "Charge"): 2,
    }
    assert {each.actor for each in found.held} == {"orders"}
    assert found.damaged == 0


@pytest.mark.parametrize(
    ("app", "expected"),
    [
        (shop(without=(overdue,)), {("timers", "Overdue"): 2}),
        (shop(without=(sulk,)), {("parked", "Sulk"): 1}),
        (shop(without=(spoil,)), {("letters", "Spoil"): 1}),
        (shop(without=(charge, *MADE)), {("effects", "Charge"): 2}),
        (
            shop(name="others"),
            {
                ("states", "Order"): 2,
                ("timers", "Overdue"): 2,
                ("parked", "Sulk"): 1,
                ("letters", "Spoil"): 1,
                ("effects", "Charge"): 2,
            },
        ),
    ],
    ids=["timer", "parked", "letter", "effect", "actor"],
)
def test_what_has_nobody_any_more_is_counted(world: World, app: App, expected: dict[tuple[str, str], int]) -> None:
    """Kind by kind, and by no other."""
    found = surveyed(world, app)
    assert not found.well
    assert lost(found) == expected


def test_rows_are_named_up_to_a_number(world: World) -> None:
    """By key, id and name, so that an operator finds them."""
    [found] = surveyed(world, shop(without=(overdue,))).unreadable
    ids = {key: row.generation.hex() for key in ("o-1", "o-2") for row in world.timers(Actor("orders", Order), key)}
    assert {row.key: row.id for row in found.named} == ids
    assert {row.name for row in found.named} == {"Overdue"}
    assert "no handler for timer tests.Overdue" in found.reason
    [found] = surveyed(world, shop(without=(overdue,)), most=1).unreadable
    assert (found.rows, len(found.named)) == (2, 1)


def test_a_state_of_another_type_cannot_be_read(world: World) -> None:
    """Its schema does not resolve; the path says where."""
    orders = Actor("orders", Other, policy=POLICY)

    @orders.handles
    def place_anew(order: Other, message: Place, context: Context) -> Other:
        """Something else."""
        return order

    found = surveyed(world, App("shop", orders))
    [states] = [each for each in found.unreadable if each.what == "states"]
    assert states.rows == 2
    assert states.reason.startswith("$.placed: ")


def test_an_unsent_message_without_a_topic(world: World) -> None:
    """Its worker would stop before it; one for a topic that is there is read as its taker would read it."""
    store = world.database.open()
    owner = Owner(store, "orders/0")
    changes = owner.changes("orders/0")
    topic = shop().wire().topics["orders"]
    body = topic.codec.encode(Sulk(order="s-1"))
    properties = f'{{"type": "tests.Sulk", "schema": "{topic.codec.schema.fingerprint}", "message_id": "m-1"}}'
    row = outbox_row(1000, "orders/0")._replace(key="s-1", body=body, properties=properties)
    changes.lane = 1001
    changes.outbox += [row._replace(topic="orders"), row._replace(number=1001, topic="gone")]
    owner.commit(changes)
    store.close()
    [found] = surveyed(world, shop()).unreadable
    assert (found.what, found.rows, [each.name for each in found.named]) == ("outbox", 1, ["1001"])
    assert "'gone'" in found.reason
    assert sorted(each.name for each in surveyed(world, shop(without=(sulk,))).unreadable[0].named) == ["1000", "1001"]


def test_damaged_bytes_are_no_release_s_fault(world: World) -> None:
    """They are counted apart: no release can read them."""
    world.database._anchor.rows("UPDATE states SET body = x'ff' WHERE key = 'o-1'")
    found = surveyed(world, shop())
    assert found.well
    assert found.damaged == 1


def test_shards_of_a_later_generation_are_not_for_an_older_app(world: World) -> None:
    """R16: its workers may not take them."""
    store = world.database.open()
    assert store.take("orders/1", epoch_of(store, "orders/1"), Taker("newer", contracts=2)) is not None
    store.close()
    assert surveyed(world, shop(contracts=2)).well
    found = surveyed(world, shop(contracts=1))
    assert found.later == {"orders/1": 2}
    assert not found.well
