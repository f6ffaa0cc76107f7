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
    """A port with a fault point on either side of each call."""

    def __init__(self, port: str, inner: object, points: Points, opens: str = "") -> None:
        self._port = port
        self._inner = inner
        self._points = points
        self._opens = opens

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the port has
        """A method is wrapped once, and then found without coming here; anything else is looked up each time."""
        found = getattr(self._inner, name)
        if callable(found):
            found = self.__dict__[name] = self._wrapped(name)
        return found

    def _wrapped(self, name: str) -> Callable[..., Any]:
        before, after = f"{self._port}.{name}:before", f"{self._port}.{name}:after"
        reach, opens = self._points.reach, self._opens or f"{self._port}.{name}" in _OPENS

        def pointed(*arguments: object) -> object:
            reach(before)
            result = getattr(self._inner, name)(*arguments)
            reach(after)
            return self._dressed(name, result) if opens else result

        return pointed

    def _dressed(self, name: str, result: object) -> object:
        opens = _OPENS.get(f"{self._port}.{name}")
        if opens is not None:
            return _Pointed("opening", result, self._points, opens)
        if self._opens and name == "poll" and result is not None:
            return _Pointed(self._opens, result, self._points)
        return result


def pointed_store(store: Store, points: Points) -> Store:
    """The store with its fault points."""
    wrapped: Any = _Pointed("store", store, points)
    return cast("Store", wrapped)


def pointed_bus(bus: Bus, points: Points) -> Bus:
    """The bus, and all that it opens, with their fault points."""
    wrapped: Any = _Pointed("bus", bus, points)
    return cast("Bus", wrapped)
