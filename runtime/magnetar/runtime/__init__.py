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
    LayoutDiffers,
    MagnetarError,
    MisuseError,
    ShardLost,
    Unhandleable,
)
from magnetar.runtime.policy import Policy
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
    "LayoutDiffers",
    "MagnetarError",
    "MisuseError",
    "Money",
    "Policy",
    "Record",
    "Remote",
    "Row",
    "ShardLost",
    "State",
    "Timer",
    "Unhandleable",
    "World",
    "replace",
]
