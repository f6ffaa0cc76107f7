"""The framework: what a user of Magnetar reads and writes."""

from magnetar.runtime.actor import Actor, Remote
from magnetar.runtime.app import App
from magnetar.runtime.bus.port import BusUnavailable
from magnetar.runtime.client import Answer, Client
from magnetar.runtime.context import Context
from magnetar.runtime.envelope import Envelope
from magnetar.runtime.errors import (
    AppInvalid,
    BrokenPromise,
    HandlerFailed,
    KeyParked,
    LayoutDiffers,
    MagnetarError,
    MisuseError,
    PermanentError,
    ShardLost,
    TemporaryError,
    Unhandleable,
)
from magnetar.runtime.policy import Policy, Retry
from magnetar.runtime.row import Row
from magnetar.runtime.testing import World
from magnetar.schemas import Command, Digits, Event, Key, Money, Record, State, Timer, replace

__all__ = [
    "Actor",
    "Answer",
    "App",
    "AppInvalid",
    "BrokenPromise",
    "BusUnavailable",
    "Client",
    "Command",
    "Context",
    "Digits",
    "Envelope",
    "Event",
    "HandlerFailed",
    "Key",
    "KeyParked",
    "LayoutDiffers",
    "MagnetarError",
    "MisuseError",
    "Money",
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
    "World",
    "replace",
]
