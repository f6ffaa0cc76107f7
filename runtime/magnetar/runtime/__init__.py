"""The framework: what a user of Magnetar reads and writes."""

from typing import TYPE_CHECKING

from magnetar.runtime.actor import Actor, Remote
from magnetar.runtime.app import App
from magnetar.runtime.bus.port import BusUnavailable
from magnetar.runtime.client import Answer, Client
from magnetar.runtime.context import Context
from magnetar.runtime.effects import Breaking, Call, Dependency, Failed
from magnetar.runtime.envelope import Envelope
from magnetar.runtime.errors import (
    AppInvalid,
    BrokenPromise,
    HandlerFailed,
    KeyParked,
    LayoutDiffers,
    MagnetarError,
    MisuseError,
    NotSent,
    PermanentError,
    ShardLost,
    TemporaryError,
    Unhandleable,
)
from magnetar.runtime.policy import Policy, Retry
from magnetar.runtime.row import Row
from magnetar.schemas import (
    Command,
    Digits,
    Effect,
    Event,
    Key,
    Money,
    Outcome,
    Record,
    State,
    Timer,
    Unknown,
    replace,
    upcast,
)

if TYPE_CHECKING:
    from magnetar.runtime.testing import World

__all__ = [
    "Actor",
    "Answer",
    "App",
    "AppInvalid",
    "Breaking",
    "BrokenPromise",
    "BusUnavailable",
    "Call",
    "Client",
    "Command",
    "Context",
    "Dependency",
    "Digits",
    "Effect",
    "Envelope",
    "Event",
    "Failed",
    "HandlerFailed",
    "Key",
    "KeyParked",
    "LayoutDiffers",
    "MagnetarError",
    "MisuseError",
    "Money",
    "NotSent",
    "Outcome",
    "PermanentError",
    "Policy",
    "Record",
    "Remote",
    "Retry",
    "Row",
    "ShardLost",
    "State",
    "TemporaryError",
    "Timer",
    "Unhandleable",
    "Unknown",
    "World",
    "replace",
    "upcast",
]


def __getattr__(name: str) -> object:
    """`World` when it is asked for (PEP 562): it brings an engine and a store that no operator's tool waits for."""
    if name == "World":
        from magnetar.runtime.testing import World  # noqa: PLC0415 - see above

        return World
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
