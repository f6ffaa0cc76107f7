"""Which room a command is in. Only the room of the command that runs is imported: all of them take twice as long.

Measured with `magnetar key why --help`: docs/adr/0024-a-command-imports-its-own-room.md.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ROOMS = {
    "dev": "developing:dev",
    "up": "servers:up",
    "down": "servers:down",
    "status": "servers:status",
    "worker": "working:worker",
    "send": "sending:send",
    "shards": "fleet:shards",
    "workers": "fleet:workers",
    "doctor": "doctoring:doctor",
    "key": "keys:app",
    "keys": "parked:app",
    "dlq": "replaying:app",
    "topics": "topics:app",
    "schema": "describing:app",
    "store": "storing:app",
}
"""The commands and groups of the top level, in the order in which `--help` tells them: module and variable of each."""


def asked(arguments: Sequence[str]) -> str | None:
    """The command of ours that the arguments run; None where they ask for help, or for a plug-in's."""
    name = next((argument for argument in arguments if argument != "--debug"), None)  # the one flag that goes before it
    return name if name in ROOMS else None


def join(app: typer.Typer, names: Iterable[str]) -> None:
    """Add these commands and groups to `app`."""
    for name in names:
        found: object = EntryPoint(name, f"{__package__}.{ROOMS[name]}", "").load()
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=name)
        elif callable(found):
            app.command(name)(found)
