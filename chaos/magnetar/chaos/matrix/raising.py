"""What a port may raise at a fault point, by what the ports promise: the rest of the matrix does not know any port.

A method that nobody has named here raises what others of its port raise, so a new one is tried by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.runtime.bus.port import BusUnavailable, Closed
from magnetar.runtime.store.port import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from magnetar.runtime.bus.port import BusError

UNKNOWABLE = frozenset(
    f"store.{name}" for name in ("beat", "commit", "depart", "prepare", "release", "remember", "take")
)
"""Transactions that write: their outcome may stay unknown, and an error says that nothing has happened."""

_ERRORS: Mapping[str, type[BusError | StoreUnavailable]] = {
    "store": StoreUnavailable,
    "bus": BusUnavailable,
    "opening": BusUnavailable,
    "consumer": Closed,
    "consumer.end": BusUnavailable,
    "producer": Closed,
}

_SILENT: Mapping[str, str] = {
    "bus.close": "closing raises nothing",
    "bus.ping": "what goes wrong is told by the poll of its opening",
    "bus.produce": "what goes wrong is told by the poll of its opening",
    "bus.subscribe": "what goes wrong is told by the poll of its opening",
    "consumer.acknowledge": "it is lost without a word",
    "consumer.close": "closing raises nothing",
    "consumer.cursor": "it is not known yet, or it is",
    "consumer.leave": "closing raises nothing",
    "consumer.newest": "it is not known yet, or it is",
    "consumer.seek": "what goes wrong is told by the poll of its opening",
    "consumer.connected": "it answers, and raises nothing",
    "opening.abandon": "abandoning raises nothing",
    "opening.poll:after": "what has been opened is handed over",
    "producer.close": "closing raises nothing",
    "producer.leave": "closing raises nothing",
    "store.close": "closing raises nothing",
} | {f"{call}:after": "a write whose answer is lost is an unknown commit" for call in UNKNOWABLE}


def why_silent(point: str) -> str:
    """Why nothing can be raised here; empty where something can."""
    call, _, side = point.partition(":")
    if call == "phase":
        return "between two phases nothing is called"
    return _SILENT.get(call) or _SILENT.get(f"{call}:{side}", "")


def error_at(point: str) -> BusError | StoreUnavailable:
    """The error that the port may raise at this point."""
    call = point.partition(":")[0]
    kind = _ERRORS.get(call) or _ERRORS[call.partition(".")[0]]
    return kind(f"{point}: made up, for the crash matrix")


def why_known(point: str, side: str) -> str:
    """Why no commit can become unknown on this side of this point; empty where one can."""
    call, _, here = point.partition(":")
    if call not in UNKNOWABLE:
        return "no transaction writes here"
    return "" if here == side else f"it is struck at {call}:{side}"
