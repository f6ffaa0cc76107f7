"""`magnetar schema …`: Avro files from the app's types, and types from somebody else's Avro files."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from magnetar.runtime.cli import screen
from magnetar.runtime.cli.apps import wiring_of
from magnetar.runtime.cli.exits import BadInput, Exit
from magnetar.runtime.cli.options import AsJson, Target  # noqa: TC001 - typer reads annotations when it runs
from magnetar.runtime.cli.wording import counted
from magnetar.runtime.wiring import namespace_of
from magnetar.schemas import Outcome, Timer, generation, importing

if TYPE_CHECKING:
    from magnetar.runtime.wiring import Wiring

app = typer.Typer(no_args_is_help=True, help="Avro schemas from the app's types, and types from foreign schemas.")

Out: TypeAlias = Annotated[
    Path, typer.Option(metavar="DIR", file_okay=False, help="The folder that holds the schema files.")
]

MOST_SCHEMA = 1 << 20
"""Largest schema file in bytes that is read."""


class Base(StrEnum):
    """What the outermost record of an imported schema becomes."""

    COMMAND = "Command"
    EVENT = "Event"
    STATE = "State"
    TIMER = "Timer"
    RECORD = "Record"


@app.command("generate")
def generate(target: Target, out: Out, as_json: AsJson = False) -> None:
    """Write the Avro schema of every message, state, timer and topic of the app, one file each.

    Only files that differ are written. Commit them: they are what others read, and what a release is compared with.

        $ magnetar schema generate shop:app --out avro
    """
    contracts = contracts_of(wiring_of(target))
    written = [path.relative_to(out).as_posix() for path in generation.generate(contracts, out)]
    if as_json:
        screen.answer({"directory": str(out), "written": written, "schemas": len(contracts.schemas())})
        return
    for name in written:
        screen.tell(f"wrote {out / name}")
    screen.tell(f"{counted(len(contracts.schemas()), 'schema')}, {len(written)} of them written anew")


@app.command("drift")
def drift(target: Target, out: Out, as_json: AsJson = False) -> None:
    """Say which schema files are not what the app's types are now; writes nothing.

    Exit status 1: there are some. For CI, beside the tests.

        $ magnetar schema drift shop:app --out avro
    """
    lines = generation.drift(contracts_of(wiring_of(target)), out)
    if as_json:
        screen.answer({"directory": str(out), "drift": [_difference(line) for line in lines]})
    for line in lines if not as_json else ():
        typer.echo(f"{out / line}")
    if lines:
        screen.tell(f"{counted(len(lines), 'difference')}; `magnetar schema generate {target} --out {out}` mends them")
        raise typer.Exit(Exit.NO)


@app.command("import")
def import_(
    file: Annotated[
        Path, typer.Argument(metavar="FILE.avsc", exists=True, dir_okay=False, help="An Avro schema as JSON.")
    ],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE.py", help="Where to write the types; else they go to stdout.")
    ] = None,
    base: Annotated[Base, typer.Option("--as", help="What the outermost record is.")] = Base.EVENT,
    as_json: AsJson = False,
) -> None:
    """Make Python types from an Avro schema that somebody else owns: they read and write the very same bytes.

    A topic's schema (a record whose `body` is a union) gives one type for each of its messages.

        $ magnetar schema import payment-captured.avsc --out payments.py
        $ magnetar schema import refund.avsc --as Command
    """
    source = importing.python_source(_text(file), base.value)
    if out is None and not as_json:
        typer.echo(source, nl=False)
        return
    if out is not None:
        _write(out, source)
        screen.tell(f"wrote {out}")
    if as_json:
        screen.answer({"file": str(out) if out else None, "source": source})


def contracts_of(wiring: Wiring) -> generation.Contracts:
    """Every message, state, timer, effect, outcome and topic of an app."""
    kinds: dict[type[Any], None] = {}
    for topic in wiring.topics.values():
        kinds |= dict.fromkeys(topic.types)
    for plan in wiring.actors.values():
        kinds[plan.state] = None
        kinds |= dict.fromkeys(kind for kind in plan.handlers if issubclass(kind, (Timer, Outcome)))
        kinds |= dict.fromkeys(effect.request for effect in plan.effects.values())
    topics = {topic.name: topic.types for topic in wiring.topics.values()}
    return generation.Contracts(namespace_of(wiring.app), list(kinds), topics)


def _difference(line: str) -> dict[str, str]:
    name, _, problem = line.partition(": ")
    return {"file": name, "problem": problem}


def _text(file: Path) -> str:
    if file.stat().st_size > MOST_SCHEMA:
        raise BadInput(f"{file} has more than {MOST_SCHEMA} bytes: that is no schema file")
    try:
        return file.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise BadInput(f"{file} is not UTF-8 text: {error.reason} at byte {error.start}") from error


def _write(out: Path, source: str) -> None:
    """Never over a file that is there: it may have been worked on since it was made."""
    try:
        with out.open("x", encoding="utf-8", newline="\n") as file:
            file.write(source)
    except FileExistsError as error:
        raise BadInput(f"{out} is there already: remove it first, or choose another file") from error
