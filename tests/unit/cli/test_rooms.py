"""A command imports its own room: what it does not need, nobody waits for."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import typer

from magnetar.runtime.cli import plugins, program, rooms

MODULES = {f"magnetar.runtime.cli.{place.partition(':')[0]}" for place in rooms.ROOMS.values()}
UNNEEDED = {
    "_pulsar",
    "magnetar.actors",
    "magnetar.chaos",
    "magnetar.runtime.worker.engine",
    "prometheus_client",
    "structlog",
}
"""What takes longest of all that a tool which reads a store can do without."""
IMPORTED = """
import json, sys
from magnetar.runtime.cli import program
program.run(sys.argv[1:])
print(json.dumps(sorted(sys.modules)))
"""


def imported_by(*arguments: str) -> set[str]:
    """The modules that a process has imported when it has run a command."""
    ran = subprocess.run(
        [sys.executable, "-c", IMPORTED, *arguments], capture_output=True, text=True, check=True, timeout=60
    )
    return set(json.loads(ran.stdout.splitlines()[-1]))


def test_every_room_is_there() -> None:
    """Whatever the table names is a command or a group of that name."""
    app = typer.Typer()
    rooms.join(app, rooms.ROOMS)
    assert plugins.names(app) == set(rooms.ROOMS)


@pytest.mark.parametrize("arguments", [["key", "why", "--help"], ["--debug", "key", "--help"]])
def test_a_command_imports_its_own_room_alone(arguments: list[str]) -> None:
    """Not the other rooms, no plug-in, no engine, no client of a broker."""
    imported = imported_by(*arguments)
    assert imported & MODULES == {"magnetar.runtime.cli.keys"}
    assert not imported & UNNEEDED


@pytest.mark.parametrize("arguments", [[], ["--help"], ["--help", "key"], ["nope"], ["demo", "--help"]])
def test_who_asks_for_anything_else_has_all_commands(arguments: list[str]) -> None:
    """The help tells them all, a wrong name is compared with them all, and a plug-in's own is among them."""
    assert rooms.asked(arguments) is None


def test_the_whole_program_has_each_room_and_the_plugins() -> None:
    """Nothing is missing where all of it is asked for."""
    names = plugins.names(program.assembled(pytest.fail))
    assert names >= set(rooms.ROOMS) | {"demo", "chaos"}
