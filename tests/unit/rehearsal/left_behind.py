"""Two releases of a small app: what the first has left, the second goes on with."""

from __future__ import annotations

from typing import Annotated, Any

from magnetar.runtime import (
    Actor,
    App,
    Call,
    Command,
    Context,
    Dependency,
    Effect,
    Key,
    Outcome,
    PermanentError,
    State,
    Timer,
    Unknown,
    replace,
)
from magnetar.runtime.rehearsal import Left
from magnetar.schemas import Doc, codec_for, topic_codec
from tests.unit.schemas.shop import made

Which = Annotated[Key, Doc("which order")]
Count = Annotated[int, Doc("how many")]


class Order(State):
    """An order, as the first release has it."""

    __namespace__ = "shop"
    placed: Count = 0


class Place(Command):
    """Place it, as the first release has it."""

    __namespace__ = "shop"
    order: Which


class Refused(Command):
    """Is refused, always."""

    __namespace__ = "shop"
    order: Which


class Overdue(Timer):
    """It is late."""

    __namespace__ = "shop"
    days: Count = 0


class Charge(Effect):
    """Take the money."""

    __namespace__ = "shop"
    cents: Count


class Charged(Outcome):
    """It was taken."""

    __namespace__ = "shop"
    cents: Count


class ChargeUnknown(Unknown):
    """Nobody knows."""

    __namespace__ = "shop"


def grown(base: type[Any], **fields: tuple[Any, Any]) -> type[Any]:
    """The same contract with more fields, each a type and a default."""
    annotations = {name: Annotated[hint, Doc(name)] for name, (hint, _) in fields.items()}
    defaults = {name: default for name, (_, default) in fields.items()}
    body = {"__namespace__": "shop", "__annotations__": annotations, **defaults}
    found: type[Any] = made(base, base.__name__, body)
    return found


def samples(version: str, *values: Any) -> dict[str, list[Left]]:
    """Values of one version, each of its own contract."""
    found: dict[str, list[Left]] = {}
    for value in values:
        cls: type[Any] = value.__class__
        codec = codec_for(cls)
        name = codec.schema.name
        found.setdefault(name, []).append(Left(name, version, codec.schema.text, codec.encode(value)))
    return found


def on_topic(version: str, *values: Any) -> dict[str, list[Left]]:
    """Values of one version on the topic of orders."""
    codec = topic_codec("orders", "shop", list(dict.fromkeys(map(type, values))))
    name = "topics/orders"
    return {name: [Left(name, version, codec.schema.text, codec.encode(value)) for value in values]}


def together(*found: dict[str, list[Left]]) -> dict[str, list[Left]]:
    """Samples of several versions, the oldest first."""
    names = dict.fromkeys(name for each in found for name in each)
    return {name: [left for each in found for left in each.get(name, [])] for name in names}


def shop(
    state: type[Any] = Order,
    place: type[Any] = Place,
    timer: type[Any] = Overdue,
    counts: str = "placed",
    **handlers: Any,
) -> App:
    """An app of these types, whose state `counts` in a field; `placed`, `late`, `charged` may be other handlers."""
    orders = Actor("orders", state)

    def on_place(order: Any, message: Any, context: Context) -> Any:
        context.schedule(timer(), after=3600)
        stepped = handlers.get("placed", _same)(order, message)
        return replace(stepped, **{counts: getattr(order, counts) // 2 + 1})

    def on_refused(order: Any, message: Any, context: Context) -> Any:
        raise PermanentError("no")

    def on_overdue(order: Any, message: Any, context: Context) -> Any:
        return handlers.get("late", _same)(order, message)

    def on_charged(order: Any, message: Any, context: Context) -> Any:
        return handlers.get("charged", _same)(order, message)

    def on_unknown(order: Any, message: Any, context: Context) -> Any:
        return order

    def charge(request: Any, call: Call) -> Any:
        raise AssertionError("the outside is not called by a rehearsal")

    kinds = ((on_place, place), (on_refused, Refused), (on_overdue, timer), (on_charged, Charged))
    for handler, kind in (*kinds, (on_unknown, ChargeUnknown)):
        handler.__annotations__ = {"order": state, "message": kind, "context": Context, "return": state}
        orders.handles(handler)
    charge.__annotations__ = {"request": Charge, "call": Call, "return": Charged}
    orders.effect(handlers.get("psp", Dependency("psp")), unknown=ChargeUnknown)(charge)
    return App("shop", orders)


def _same(order: Any, message: Any) -> Any:
    return order
