"""Fault points: every port call and every phase boundary of the engine has one on either side.

A point is named `port.method:before`, `port.method:after` or `phase:name`. In production nothing stands at them:
the ports are not wrapped at all. Simulation, the crash matrix and the kill tests wrap the ports with `Pointed…` and
are told each time that a point is reached; what they do there (raise, kill, lose) is theirs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, cast

from magnetar.runtime.bus.port import Bus, Consumer, Opening, Producer
from magnetar.runtime.store.port import Store

if TYPE_CHECKING:
    from collections.abc import Callable

PHASES = (
    "taken",
    "known",
    "loaded",
    "handled",
    "unknown",
    "committed",
    "idle",
    "relay",
    "timers",
    "bells",
    "effects",
    "reception",
    "passivation",
    "ownership",
)


class Points(Protocol):
    """Somebody who wants to know when a fault point is reached. Runs in the loop's thread; may raise."""

    def reach(self, point: str) -> None:
        """The engine is at `point`."""
        ...


class NoPoints:
    """Nobody listens."""

    def reach(self, point: str) -> None:
        """Do nothing."""


def _methods(port: type[Any]) -> list[str]:
    return sorted(name for name, value in vars(port).items() if not name.startswith("_") and callable(value))


_PORTS: dict[str, type[Any]] = {
    "store": Store,
    "bus": Bus,
    "opening": Opening,
    "consumer": Consumer,
    "producer": Producer,
}
_OPENS: dict[str, str] = {
    "bus.subscribe": "consumer",
    "bus.produce": "producer",
    "bus.ping": "",
    "consumer.seek": "consumer",
}
"""Calls that give an opening, and the port of what it opens; empty where it is only an answer."""


def all_points() -> list[str]:
    """The names of all fault points, from the ports' own methods: a new method is covered by itself."""
    calls = [f"{port}.{method}" for port, kind in _PORTS.items() for method in _methods(kind)]
    return [f"{call}:{side}" for call in calls for side in ("before", "after")] + [f"phase:{name}" for name in PHASES]


class _Pointed:
    """A port with a fault point on either side of each call. Each port has a subclass with its methods."""

    __slots__ = ("inner", "points", "reach")

    def __init__(self, inner: object, points: Points) -> None:
        self.inner = inner
        self.points = points
        self.reach = points.reach

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever there is beside the port's methods
        return getattr(self.inner, name)


class _PointedOpening(_Pointed):
    """What was opened has its fault points, too, if it is a port (see `_OPENS`)."""

    __slots__ = ("opens",)

    def __init__(self, inner: object, points: Points, opens: str) -> None:
        super().__init__(inner, points)
        self.opens = opens


def _method(port: str, name: str) -> Callable[..., Any]:
    """Made once, not for each thing that is opened: a run of the simulation opens hundreds."""
    before, after = f"{port}.{name}:before", f"{port}.{name}:after"

    def pointed(self: _Pointed, *arguments: object) -> object:
        self.reach(before)
        result = getattr(self.inner, name)(*arguments)
        self.reach(after)
        return result

    return pointed


def _opening(call: Callable[..., Any], opens: str) -> Callable[..., Any]:
    def pointed(self: _Pointed, *arguments: object) -> object:
        return _PORTED["opening"](call(self, *arguments), self.points, opens)

    return pointed


def _polled(call: Callable[..., Any]) -> Callable[..., Any]:
    def pointed(self: _PointedOpening, *arguments: object) -> object:
        result = call(self, *arguments)
        return result if result is None or not self.opens else _PORTED[self.opens](result, self.points)

    return pointed


def _ported(port: str) -> Callable[..., _Pointed]:
    base = _PointedOpening if port == "opening" else _Pointed
    methods = {name: _dressed(port, name) for name in _methods(_PORTS[port])}
    made: Any = type(f"_Pointed{port.title()}", (base,), {"__slots__": (), **methods})
    return cast("Callable[..., _Pointed]", made)


def _dressed(port: str, name: str) -> Callable[..., Any]:
    method, opens = _method(port, name), _OPENS.get(f"{port}.{name}")
    if opens is not None:
        return _opening(method, opens)
    return _polled(method) if (port, name) == ("opening", "poll") else method


_PORTED = {port: _ported(port) for port in _PORTS}


def pointed_store(store: Store, points: Points) -> Store:
    """The store with its fault points."""
    wrapped: Any = _PORTED["store"](store, points)
    return cast("Store", wrapped)


def pointed_bus(bus: Bus, points: Points) -> Bus:
    """The bus, and all that it opens, with their fault points."""
    wrapped: Any = _PORTED["bus"](bus, points)
    return cast("Bus", wrapped)
