"""What is told of one key is what the store holds, whoever owns it."""

from __future__ import annotations

from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from magnetar.runtime import Actor, Command, Context, Key, MisuseError, Policy, Retry, State, World
from magnetar.runtime.operate import keys
from magnetar.runtime.operate.key_names import KeyName
from magnetar.runtime.operate.keys import MOST_WAITING
from magnetar.runtime.store.port import OutboxRow, StateRow
from magnetar.runtime.store.sqlite import SqliteViews
from tests.unit.cli.shop import Line, Pay, Place, app

START = datetime(2026, 1, 1, tzinfo=UTC)
O_1 = KeyName("orders", "o-1")


class Try(Command):
    """What fails."""

    thing: Key
    number: int = 0


class Thing(State):
    """Nothing ever comes of it."""

    done: int = 0


fragile = Actor("fragile", Thing, policy=Policy(partitions=1, retry=Retry(tiers=(10.0,), attempts=3, jitter=0.0)))


@fragile.handles
def attempt(thing: Thing, message: Try, context: Context) -> Thing:
    """It raises."""
    raise ValueError(f"try {message.number}")


@pytest.fixture
def world() -> Generator[World]:
    """An order was placed with two lines."""
    with World(app, start=START) as world:
        world.send(Place(order_id="o-1", lines=(Line(sku="a"), Line(sku="b")), total=Decimal("12.50")), id="first")
        yield world


def test_a_key_is_shown_as_it_is_now(world: World) -> None:
    """State, version, timer, shard: each is the stored one, read without the app's types."""
    world.advance(60)
    report = keys.show(world.database.views(), O_1)
    assert report.state is not None
    assert report.state.value == {"status": "placed", "total": "12.50"}
    assert (report.version, report.changed_at) == (1, START)
    assert [(timer.name, timer.due) for timer in report.timers] == [("Overdue", START + timedelta(seconds=1800))]
    assert report.shard.name in {f"orders/{number}" for number in range(16)}
    assert (report.shard.owner, report.shard.epoch) == ("world", 1)
    assert report.unsent == []


def test_a_key_never_seen_has_no_state(world: World) -> None:
    """It has a shard all the same: whoever owns that will see it first."""
    report = keys.show(world.database.views(), KeyName("orders", "o-2"))
    assert (report.version, report.state) == (0, None)
    assert report.shard.name.startswith("orders/")


def test_an_actor_that_the_store_does_not_know_is_a_misuse(world: World) -> None:
    """The message names those it knows."""
    with pytest.raises(MisuseError, match="no actor 'order'; it knows orders, stock"):
        keys.show(world.database.views(), KeyName("order", "o-1"))


@pytest.mark.parametrize("text", ["", "orders", "orders/", "/o-1"])
def test_a_name_needs_actor_and_key(text: str) -> None:
    """Anything else is refused with an example."""
    with pytest.raises(MisuseError, match="orders/o-1"):
        KeyName.parse(text)


def test_a_key_may_hold_slashes() -> None:
    """Only the first one parts."""
    assert KeyName.parse("orders/2026/1") == KeyName("orders", "2026/1")


def test_the_timeline_tells_what_came_and_what_it_did(world: World) -> None:
    """Messages in the order of versions, with what they sent, armed and cancelled."""
    world.advance(60)
    world.send(Pay(order_id="o-1"))
    first, second = keys.timeline(world.database.views(), O_1, last=10).messages
    assert (first.version, first.type, first.disposition) == (1, "test.Place", "applied") or first.type.endswith(
        "Place"
    )
    assert first.content.value["lines"] == [{"sku": "a", "quantity": 1}, {"sku": "b", "quantity": 1}]
    assert [(sent.to, sent.key, sent.unsent) for sent in first.sent] == [
        ("stock", "a", False),
        ("stock", "b", False),
        ("orders-events", "o-1", False),
    ]
    assert [(armed.name, armed.due) for armed in first.armed] == [("Overdue", START + timedelta(seconds=1800))]
    assert second.handled_at == START + timedelta(seconds=60)
    assert second.cancelled == ["Overdue"]
    assert [sent.to for sent in second.sent] == ["mail"]


def test_a_timer_that_fired_is_in_the_timeline(world: World) -> None:
    """Its source says so, and its content is its own."""
    world.advance(1800)
    fired = keys.timeline(world.database.views(), O_1, last=1).messages[0]
    assert (fired.source, fired.content.value, fired.content.problem) == ("timer", {}, "")
    assert fired.published_at == START + timedelta(seconds=1800)


def test_only_the_last_are_told_and_the_rest_are_counted(world: World) -> None:
    """A long story is cut at its beginning."""
    for number in range(5):
        world.send(Pay(order_id="o-1"), id=f"pay-{number}")
    told = keys.timeline(world.database.views(), O_1, last=2)
    assert [message.version for message in told.messages] == [5, 6]
    assert told.earlier == 4


def test_what_is_decided_and_not_sent_is_told(world: World) -> None:
    """An outbox row belongs to the key whose message caused it, not to the one it goes to."""
    cause = keys.timeline(world.database.views(), O_1, last=1).messages[0].message_id
    views = _Waiting(world, cause)
    [unsent] = keys.show(views, O_1).unsent
    assert (unsent.number, unsent.to, unsent.key, unsent.message_id) == (7, "stock/3", "s-1", "m")
    assert keys.show(views, KeyName("orders", "o-2")).unsent == []


def test_a_commit_between_two_reads_is_noticed(world: World) -> None:
    """State, timers and the rest are of one version: here the timer is cancelled after the state was read."""
    report = keys.show(_Moving(world), O_1)
    assert (report.version, report.timers) == (2, [])


class _Moving(SqliteViews):
    """The store's views, with a payment that is applied right after the first look at the state."""

    def __init__(self, world: World) -> None:
        super().__init__(world.database)
        self._world = world
        self._paid = False

    def state(self, actor: str, key: str) -> StateRow | None:
        """The state, and then the payment."""
        row = super().state(actor, key)
        if not self._paid:
            self._paid = True
            self._world.send(Pay(order_id="o-1"))
        return row


class _Waiting(SqliteViews):
    """The store's views with one row in the outbox, as when the broker is away."""

    def __init__(self, world: World, cause: str) -> None:
        super().__init__(world.database)
        properties = f'{{"message_id": "m", "type": "test.Reserve", "causation_id": "{cause}"}}'
        self._row = OutboxRow("orders/1", 7, "stock", 3, "s-1", b"", properties)

    def unsent_of(self, actor: str) -> list[OutboxRow]:
        """The row."""
        return [self._row] if actor == "orders" else []


def test_a_parked_key_is_told_with_its_tail_and_its_attempts() -> None:
    """Read without the app's types: why it waits, what waits, and each failed attempt of what failed."""
    with World(fragile, start=START, parks=True) as world:
        for number in range(MOST_WAITING + 5):
            world.send(Try(thing="t-1", number=number))
        views, name = world.database.views(), KeyName("fragile", "t-1")
        report = keys.show(views, name)
        assert report.seen
        assert (report.version, report.state) == (0, None)
        parked = report.parked
        assert parked is not None
        assert (parked.reason, parked.failures, parked.since, parked.waiting) == ("retry", 2, START, MOST_WAITING + 5)
        assert (parked.error, parked.error_text) == ("ValueError", "try 0")
        assert parked.due == START + timedelta(seconds=10)
        assert len(parked.messages) == MOST_WAITING
        assert parked.messages[0].content.value == {"thing": "t-1", "number": 0}
        told = {row.content.value["number"]: row for row in keys.timeline(views, name, 100).messages}
        assert [each.number for each in told[0].failures] == [1, 2]
        assert told[1].failures == []
        world.advance(3600)
        report = keys.show(views, name)
        assert report.parked is not None
        assert (report.parked.reason, report.parked.due, report.parked.waiting) == ("held", None, MOST_WAITING + 4)
        [dead] = [row for row in keys.timeline(views, name, 100).messages if row.disposition == "dead"]
        assert [each.number for each in dead.failures] == [1, 2, 3]
        assert not keys.show(views, KeyName("fragile", "t-2")).seen
