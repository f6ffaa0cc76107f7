"""Releases of one small actor whose state and messages grow, shrink and change, and a handler that trips over some."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Annotated, Any
from zlib import crc32

import msgspec

from magnetar.runtime import Actor, App, Command, Context, Key, State, Timer
from magnetar.runtime.cli.gating import working_of
from magnetar.schemas import Doc, Schema, gate
from magnetar.schemas.gate.releasing import golden
from tests.unit.schemas.shop import made


class Kind(enum.Enum):
    """As the first releases have it."""

    __namespace__ = "shop"
    PLAIN = "plain"
    GIFT = "gift"


HINTS: dict[str, tuple[Any, Sequence[Any]]] = {
    "number": (int, (0, 7, 20)),
    "text": (str, ("", "none")),
    "maybe": (int | None, (None,)),
    "kind": (Kind, (Kind.PLAIN, Kind.GIFT)),
    "many": (tuple[int, ...], ((),)),
    "checked": (Annotated[int, msgspec.Meta(ge=-5)], (0, 3)),
}
"""Types of fields, and the defaults that they may have."""


@dataclass(frozen=True)
class Release:
    """Fields of each contract as (name, kind, default), in order."""

    state: tuple[tuple[str, str, Any], ...] = ()
    order: tuple[tuple[str, str, Any], ...] = ()
    timer: tuple[tuple[str, str, Any], ...] = ()


Handler = Callable[[Any, Any], None]


def app_of(release: Release, handler: Handler) -> App:
    """The app as it was in a release. `handler` raises, or not, on a state and a message."""
    state = _contract(State, "Order", release.state)
    place = _contract(Command, "Place", release.order, key=Key)
    timer = _contract(Timer, "Late", release.timer)
    orders = Actor("orders", state)
    for kind in (place, timer):

        def handle(order: Any, message: Any, context: Context) -> Any:
            handler(order, message)
            return order

        handle.__annotations__ = {"order": state, "message": kind, "context": Context, "return": state}
        orders.handles(handle)
    return App("shop", orders)


def _contract(base: type[Any], name: str, fields: Sequence[tuple[str, str, Any]], **more: Any) -> type[Any]:
    hints = {**more, **{each: HINTS[kind][0] for each, kind, _ in fields}}
    annotations = {each: Annotated[hint, Doc(each)] for each, hint in hints.items()}
    defaults = {each: default for each, _, default in fields}
    found: type[Any] = made(base, name, {"__namespace__": "shop", "__annotations__": annotations, **defaults})
    return found


def registry_of(releases: Sequence[Release]) -> gate.Registry:
    """What has been released, as if it had been written and loaded."""
    found = gate.Registry()
    for number, release in enumerate(releases, 1):
        entry = gate.Release(number, "", "2026-01-01T00:00:00Z", "a change", number, "", {}, {})
        found.releases.append(entry)
        for name, contract in working_of(app_of(release, quiet).wire()).contracts.items():
            versions = found.versions.setdefault(name, [])
            if not versions or versions[-1].text != contract.text:
                schema = Schema.parse(contract.text)
                versions.append(gate.Version(name, len(versions) + 1, contract.text, schema, golden(contract), entry))
    return found


def quiet(state: Any, message: Any) -> None:
    """Trips over nothing."""


def drawn(seed: int) -> tuple[list[Release], Handler]:
    """Some releases, each a change of the one before, and a handler that trips over some values of some field."""
    chance = Random(seed)
    maker = Maker(chance)
    releases = [maker.changed(maker.changed(Release()))]
    for _ in range(chance.randint(2, 5)):
        releases.append(maker.changed(releases[-1]))
    return releases, maker.handler(releases[-1])


class Maker:
    """Makes releases and handlers."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._names = 0

    def changed(self, release: Release) -> Release:
        """One contract of it is changed, once."""
        name = self._chance.choice(["state", "state", "order", "timer"])
        fields = list(getattr(release, name))
        match self._chance.choice(["add", "add", "add", "drop", "order", "default"]):
            case "drop" if fields:
                fields.pop(self._chance.randrange(len(fields)))
            case "order":
                self._chance.shuffle(fields)
            case "default" if fields:
                at = self._chance.randrange(len(fields))
                each, kind, _ = fields[at]
                fields[at] = (each, kind, self._chance.choice(HINTS[kind][1]))
            case _:
                fields.append(self._field())
        return replace(release, **{name: tuple(fields)})

    def _field(self) -> tuple[str, str, Any]:
        self._names = self._names % 6 + 1  # a name that was dropped may come back as another type
        kind = self._chance.choice(list(HINTS))
        return f"{kind}{self._names}", kind, self._chance.choice(HINTS[kind][1])

    def handler(self, release: Release) -> Handler:
        """One that trips over a third of the values of a field of each contract: the same for the same, always."""
        error = self._chance.choice([KeyError, ZeroDivisionError, TypeError])
        salt = self._chance.random()
        fields = [[each for each, _, _ in listed] for listed in (release.state, release.order, release.timer)]
        names = [self._chance.choice([each[-1], *each]) for each in fields if each]

        def handler(state: Any, message: Any) -> None:
            values = [(name, getattr(each, name)) for each in (state, message) for name in names if hasattr(each, name)]
            if any(crc32(f"{salt} {value}".encode()) % 3 == 0 for value in values):
                raise error(salt)

        return handler
