"""Customers who publish to somebody that does not answer: they go on until it is confirmed, unless they are stopped."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from magnetar.chaos.parking.sending import Customers
from magnetar.chaos.scenarios.spec import Load
from magnetar.chaos.workloads.market import MARKET
from magnetar.chaos.workloads.plan import letters
from magnetar.runtime.bus.port import BusUnavailable
from magnetar.runtime.compose.places import EmbeddedBus, bus_place, provision_embedded

if TYPE_CHECKING:
    from collections.abc import Generator

WIRING = MARKET.wire()
PLAN, LONG = (
    [each for each in letters(Load(appends=50, clicks=0), seconds, "x", 1, (0, 0)) if each.op == "append"]
    for seconds in (0.2, 600.0)
)
SECONDS = 20.0


class Deaf:
    """A bus to somebody who hears nothing until one has connected anew."""

    def __init__(self, inner: Any) -> None:
        """Around a real one."""
        self.inner, self.renewed = inner, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def produce(self, *place: Any) -> Any:
        """Refused as if nobody answered."""
        if not self.renewed:
            raise BusUnavailable("nobody answers")
        return self.inner.produce(*place)

    def renew(self) -> None:
        """As the bus does."""
        self.renewed += 1


class Shop:
    """What customers need of a ground."""

    def __init__(self) -> None:
        """With a broker in memory, and nobody who works."""
        place = bus_place("memory:", "market")
        assert isinstance(place, EmbeddedBus)
        provision_embedded(place.broker, WIRING)
        self.wiring, self.place, self.deaf = WIRING, place, Deaf(place.connect("customers"))

    @property
    def bus(self) -> Any:
        """Whose connections are deaf at first."""
        return self

    def connect(self, _name: str) -> Deaf:
        """See `BusPlace`."""
        return self.deaf


def customers(shop: Any, plan: Any = PLAN) -> Customers:
    """With little patience."""
    found = Customers(shop, plan)
    found.patience = 0.05
    return found


def test_who_renews_is_heard_in_the_end() -> None:
    """Each letter once and in order, also when told to end while nothing was confirmed; where they are said to be."""
    shop = Shop()
    been: list[str] = []

    @contextmanager
    def elsewhere() -> Generator[None]:
        been.append("there")
        yield
        been.append("left")

    sending = customers(shop)
    sending.renews, sending.place = True, elsewhere
    sending.start()
    sending.join(SECONDS)
    assert (sending.failure, been) == (None, ["there", "left"])
    assert shop.deaf.renewed > 0
    assert [each.message_id for each in sending.published] == [each.message_id for each in PLAN]
    assert sending.published[0].tries > 1


def test_who_is_told_to_end_sends_what_is_in_hand_and_who_is_stopped_does_not() -> None:
    """The first is not heard before it renews; the second never."""
    for told, failed in ((Customers.end, False), (Customers.stop, True)):
        shop = Shop()
        sending = customers(shop, LONG)
        sending.patience = 0.5
        sending.start()
        while not sending.began:
            sending.join(0.01)
        sending.join(0.1)
        told(sending)
        sending.renews = True
        sending.join(SECONDS)
        assert not sending.is_alive()
        assert isinstance(sending.failure, BusUnavailable) == failed, sending.failure
        assert bool(sending.published) != failed
        assert len(sending.published) < len(LONG)


def test_without_renewing_nobody_is_heard() -> None:
    """They try until they are stopped."""
    sending = customers(shop := Shop())
    sending.start()
    sending.join(0.3)
    assert sending.is_alive()
    sending.stop()
    sending.join(SECONDS)
    assert isinstance(sending.failure, BusUnavailable)
    assert shop.deaf.renewed == 0
