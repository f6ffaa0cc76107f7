"""Orders and money to try things with, and a way to call a shop's handlers as the plain functions that they are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from magnetar.actors import Shop, ShopSettings, make_shop
from magnetar.runtime import Context, Envelope
from magnetar.runtime.instant import from_datetime
from magnetar.runtime.wiring import checked_key
from magnetar.schemas import Money, contract_name, key_field
from magnetar.schemas.commerce import Line, Place

if TYPE_CHECKING:
    from magnetar.runtime.actor import Actor
    from magnetar.schemas import Message, State

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(seconds=60)
SETTINGS = ShopSettings(partitions=2)


def euros(cents: int) -> Money:
    """An amount in euros."""
    return Money(cents, "EUR")


def line(sku: str = "s-1", quantity: int = 1, cents: int = 500, currency: str = "EUR") -> Line:
    """A line of an order."""
    return Line(sku=sku, quantity=quantity, price=Money(cents, currency))


def place(*lines: Line, order_id: str = "o-1") -> Place:
    """A placed order; by default of one unit of `s-1`."""
    return Place(order_id=order_id, lines=lines or (line(),))


class Handled(NamedTuple):
    """What a handler returned, and what it told its context."""

    state: Any
    sent: list[Message]
    context: Context


class Nowhere:
    """Where bytes of a test come from."""

    topic = message_id = schema_version = "test"


class Counter:
    """Calls the handlers of a shop, as the engine does, and encodes whatever they decide."""

    def __init__(self, settings: ShopSettings = SETTINGS) -> None:
        """A shop of its own."""
        self.shop: Shop = make_shop(settings)
        self.wiring = self.shop.app.wire()
        self._count = 0

    def handle(
        self, actor: Actor[Any], state: State, message: Message, *, key: str = "k-1", now: datetime = NOW
    ) -> Handled:
        """Call the handler of a message; whatever it decides can be encoded, and has a key and a topic."""
        self._count += 1
        instant = from_datetime(now)
        identity = UUID(int=self._count)
        envelope = Envelope(str(identity), key, contract_name(type(message)), "", "", "", instant, None, 0, "test")
        context = Context(key, identity.bytes, instant, envelope)
        plan = self.wiring.actors[actor.name]
        after = plan.handlers[type(message)](state, message, context)
        plan.codec.encode(after)
        for sent in context.sent:
            self.wiring.destination(plan, sent.message).codec.encode(sent.message)
            checked_key(getattr(sent.message, key_field(type(sent.message)) or ""), type(sent.message).__name__)
        return Handled(after, [sent.message for sent in context.sent], context)
