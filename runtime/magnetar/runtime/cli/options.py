"""Arguments and options that several commands share, and what they stand for."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from magnetar.runtime.bus.port import BusUnavailable
from magnetar.runtime.cli import screen
from magnetar.runtime.cli.exits import BadInput
from magnetar.runtime.compose.places import PulsarPlace, bus_place, store_place
from magnetar.runtime.compose.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Generator

    from magnetar.runtime.compose.places import BusPlace, StorePlace
    from magnetar.runtime.store.views import Views

Target: TypeAlias = Annotated[
    str,
    typer.Argument(metavar="MODULE:APP", help="The app: a module that can be imported from here, and its variable."),
]
Store: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="The store: sqlite:///shop.db (four slashes before an absolute path) or postgresql://host/name;"
        " else $MAGNETAR_STORE.",
    ),
]
Bus: TypeAlias = Annotated[
    str | None, typer.Option(metavar="URL", help="The broker: pulsar://host:6650; else $MAGNETAR_BUS.")
]
Admin: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="URL", help="The cluster's REST API: http://host:8080[,host:8080]; else $MAGNETAR_ADMIN."),
]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on stdout.")]

MEMORY = "memory:"


def settings() -> Settings:
    """What `MAGNETAR_…` variables say. Raises `BadInput` that names the wrong one."""
    try:
        return Settings()
    except ValueError as error:  # pydantic's own names the variable
        raise BadInput(f"a MAGNETAR_… variable cannot be used: {error}") from error


def shared_bus(url: str | None, app: str, admin: str | None = None, *, silent: bool) -> BusPlace:
    """The broker that other processes are on too. Raises `BadInput` for one that is in the memory of this process.

    `admin`: its REST API; None: the one that the environment says.
    `silent`: the client's own log, which it writes to stderr in a form of its own, is dropped.
    """
    found = settings()
    chosen = url or found.bus
    if chosen == MEMORY:
        raise BadInput(
            "a bus in memory is no other process's: use `magnetar dev`, or a broker such as pulsar://127.0.0.1:6650"
        )
    place = bus_place(chosen, app, found.access(), admin or found.admin_of(chosen))
    if silent and isinstance(place, PulsarPlace):
        return replace(place, settings=replace(place.settings, log_file="/dev/null"))
    return place


@contextmanager
def reaching_broker() -> Generator[None]:
    """Inside, a broker that does not answer is told together with what to do about it."""
    try:
        yield
    except BusUnavailable:
        screen.tell("is the broker running there? `magnetar up` starts one on this machine and prints its addresses")
        raise


def shared_store(url: str | None) -> StorePlace:
    """The store that other processes use too. Raises `BadInput` for one that is in the memory of this process."""
    chosen = url or settings().store
    if chosen == MEMORY:
        raise BadInput("a store in memory is no other process's: name a file, such as --store sqlite:///shop.db")
    return store_place(chosen)


@contextmanager
def reading(url: str | None) -> Generator[Views]:
    """A reader of the store. `StoreUnavailable` where there is none."""
    views = shared_store(url).views()
    try:
        yield views
    finally:
        views.close()
