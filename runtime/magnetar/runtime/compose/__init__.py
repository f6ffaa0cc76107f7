"""The one composition root: nothing else reads settings, opens adapters, or starts threads of a worker."""

from magnetar.runtime.compose.listening import Listening
from magnetar.runtime.compose.loading import AppNotFound, load_app
from magnetar.runtime.compose.places import (
    BusPlace,
    EmbeddedBus,
    PulsarPlace,
    StorePlace,
    UnknownPlace,
    bus_place,
    provision_embedded,
    store_place,
    store_upkeep,
    wanted_of,
    without_secret,
)
from magnetar.runtime.compose.process import run_until_signal, supervise_until_signal, tune_collector
from magnetar.runtime.compose.running import RunningWorker, WorkerFailed, default_owner
from magnetar.runtime.compose.settings import Settings, login_name
from magnetar.runtime.telemetry.address import Address

__all__ = [
    "Address",
    "AppNotFound",
    "BusPlace",
    "EmbeddedBus",
    "Listening",
    "PulsarPlace",
    "RunningWorker",
    "Settings",
    "StorePlace",
    "UnknownPlace",
    "WorkerFailed",
    "bus_place",
    "default_owner",
    "load_app",
    "login_name",
    "provision_embedded",
    "run_until_signal",
    "store_place",
    "store_upkeep",
    "supervise_until_signal",
    "tune_collector",
    "wanted_of",
    "without_secret",
]
