"""Help texts as paragraphs that fit any terminal, and all of them as one page of Markdown."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from magnetar.runtime.cli.exits import MEANINGS

if TYPE_CHECKING:
    from collections.abc import Iterator

    import typer

_HEAD = """# Commands

Every command of `magnetar`, as `--help` tells it. This page is made by `magnetar reference`; a test compares the two.

Answers go to stdout, everything else to stderr. With `--json` stdout holds JSON and nothing else: one document, or one
to a line for what goes on. An error is one text on stderr that says what happened, to what, and what to do;
`magnetar --debug …` adds where.

Where `--bus`, `--store` or `--admin` is not given, `MAGNETAR_BUS`, `MAGNETAR_STORE` or `MAGNETAR_ADMIN` stands for it.

| exit status | meaning |
|---|---|
"""


def unwrapped(text: str) -> str:
    """The text with each paragraph on one line, for a terminal to break as it is wide; examples stay as they are."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(
        paragraph if paragraph.startswith(" ") else " ".join(paragraph.split("\n")) for paragraph in paragraphs
    )


def unwrap(app: typer.Typer) -> None:
    """Unwrap the help of every command of an app."""
    for command in app.registered_commands:
        text = command.help or inspect.getdoc(command.callback)
        command.help = unwrapped(text) if text else None
    for group in app.registered_groups:
        if group.typer_instance is not None:
            unwrap(group.typer_instance)


def markdown(group: TyperGroup) -> str:
    """The page: exit statuses, and every command with its arguments and options."""
    statuses = "".join(f"| {int(status)} | {meaning} |\n" for status, meaning in MEANINGS.items())
    return _HEAD + statuses + "".join(_sections("magnetar", group))


def _sections(name: str, group: TyperGroup) -> Iterator[str]:
    for command in group.commands.values():
        if command.hidden:
            continue
        full = f"{name} {command.name}"
        yield f"\n## {full}\n\n{command.help}\n"
        if isinstance(command, TyperGroup):
            yield from _sections(full, command)
        elif isinstance(command, TyperCommand):
            yield _parameters(command)


def _parameters(command: TyperCommand) -> str:
    rows = [row for parameter in command.params for row in _row(parameter)]
    return "\n| argument or option | meaning |\n|---|---|\n" + "".join(rows) if rows else ""


def _row(parameter: object) -> Iterator[str]:
    if isinstance(parameter, TyperOption) and parameter.hidden:
        return
    if isinstance(parameter, TyperOption) and parameter.name != "help":
        names = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
        value = "" if parameter.is_flag else f" {parameter.metavar or 'VALUE'}"
        plain = parameter.default is None or parameter.is_flag
        default = "" if plain else f" Default: {parameter.default}."
        yield f"| {names}{value} | {parameter.help or ''}{default} |\n"
    elif isinstance(parameter, TyperArgument):
        name = parameter.metavar or str(parameter.name).upper()
        yield f"| {name} | {parameter.help or ''}{'' if parameter.required else ' May be left out.'} |\n"
