"""A bus that breaks when it is told: the thing that was called is given up, and its caller gets an error.

It stands beneath the fault points, so that an error comes from where a real adapter's would, and leaves behind what a
real one leaves: an opening that failed has opened nothing, and who is closed stays closed.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, cast

from magnetar.runtime.bus.port import Bus, Closed

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.runtime.bus.port import BusError

_OPENS = {"bus.subscribe": "consumer", "bus.produce": "producer", "bus.ping": "", "consumer.seek": "consumer"}


class Breaker(threading.local):
    """Who makes a bus break, each thread for its own calls. `broken` is called when it has broken."""

    def __init__(self, broken: Callable[[], None]) -> None:
        super().__init__()
        self._broken = broken
        self._error: BusError | None = None
        self._last: _Fragile | None = None

    def before(self, error: BusError) -> None:
        """The call that comes now raises this, and does nothing."""
        self._error = error

    def after(self, error: BusError) -> None:
        """The call that has just returned raises this instead."""
        assert self._last is not None, "nothing was called in this thread"
        self._break(self._last, error)

    def called(self, fragile: _Fragile) -> None:
        """A call begins. Raises when it was told so."""
        self._last = fragile
        error, self._error = self._error, None
        if error is not None:
            self._break(fragile, error)

    def _break(self, fragile: _Fragile, error: BusError) -> None:
        fragile.give_up(error)
        self._broken()
        raise error


class _Fragile:
    """A port that asks the breaker at each call."""

    def __init__(self, port: str, inner: Any, breaker: Breaker, opens: str = "") -> None:  # noqa: ANN401 - any port
        self._port = port
        self._inner = inner
        self._breaker = breaker
        self._opens = opens

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the port has
        """A method is wrapped once, and then found without coming here; anything else is looked up each time."""
        found = getattr(self._inner, name)
        if callable(found):
            found = self.__dict__[name] = self._wrapped(name, found)
        return found

    def _wrapped(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def fragile(*arguments: object) -> object:
            self._breaker.called(self)
            return self._dressed(name, method(*arguments))

        return fragile

    def _dressed(self, name: str, result: object) -> object:
        opens = _OPENS.get(f"{self._port}.{name}")
        if opens is not None:
            return _Fragile("opening", result, self._breaker, opens)
        if self._opens and name == "poll" and result is not None:
            return _Fragile(self._opens, result, self._breaker)
        return result

    def give_up(self, error: BusError) -> None:
        """What such an error leaves behind."""
        if self._port == "opening":
            self._inner.abandon()
        elif isinstance(error, Closed):
            self._inner.close()


def fragile_bus(bus: Bus, breaker: Breaker) -> Bus:
    """The bus, and all that it opens, breaking when the breaker says so."""
    wrapped: Any = _Fragile("bus", bus, breaker)
    return cast("Bus", wrapped)
