"""Commands that other packages bring: an entry point in the group `magnetar.cli` names a `typer.Typer`.

Its commands and groups join ours on the top level. One that cannot be used is told and left out: a broken plug-in
must not take away the tools with which its own trouble is looked into.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

import typer
from typer.main import get_command_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

GROUP = "magnetar.cli"


def installed() -> list[EntryPoint]:
    """The plug-ins of this environment, by name."""
    return sorted(entry_points(group=GROUP), key=lambda point: point.name)


def join(app: typer.Typer, points: Iterable[EntryPoint], warn: Callable[[str], None]) -> None:
    """Add each plug-in's commands to `app`; `warn` hears of those that cannot be."""
    for point in points:
        try:
            plugin: object = point.load()
        except Exception as error:  # noqa: BLE001 - somebody else's code; it is told, and the rest works on
            warn(f"{_named(point)} is left out: loading it raised {type(error).__name__}: {error}")
            continue
        if not isinstance(plugin, typer.Typer):
            warn(f"{_named(point)} is left out: it is a {type(plugin).__name__}, not a typer.Typer")
        elif taken := sorted(names(app) & names(plugin)):
            warn(f"{_named(point)} is left out: Magnetar has {', '.join(taken)} itself; rename it there")
        else:
            app.add_typer(plugin)


def names(app: typer.Typer) -> set[str]:
    """The names that an app's commands and groups have on its top level."""
    commands = {
        info.name or get_command_name(info.callback.__name__) for info in app.registered_commands if info.callback
    }
    groups: set[str] = set()
    for info in app.registered_groups:
        name = info.name or (info.typer_instance.info.name if info.typer_instance else None)
        if isinstance(name, str):
            groups.add(name)
        elif info.typer_instance is not None:
            groups |= names(info.typer_instance)
    return commands | groups


def _named(point: EntryPoint) -> str:
    package = f" of {point.dist.name}" if point.dist is not None else ""
    return f"plug-in {point.name} ({point.value}){package}"
