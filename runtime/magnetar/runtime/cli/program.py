"""The program as a whole: its commands, and what becomes of an error."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated

import typer
from typer.exceptions import TyperException
from typer.main import get_group

from magnetar.runtime.cli import plugins, reference, rooms, screen
from magnetar.runtime.cli.exits import Exit, last_word, status_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HELP = """Durable, single-writer actors on Apache Pulsar: every message applied exactly once and in order.

An app in shop.py, on a broker and a store in one process:

    $ magnetar dev shop:app
    $ magnetar demo                      the example shop, under load

The same app on a real broker:

    $ magnetar up                        a Pulsar on this machine
    $ magnetar topics apply shop:app     its topics and schemas
    $ magnetar worker shop:app           a worker, until Ctrl-C
    $ magnetar send shop:app Place '{"order_id": "o-1"}'
    $ magnetar key timeline orders/o-1   what came, what it did

Exit status: 0 yes or done, 1 no, 2 not understood, 3 something outside is unavailable, 70 a defect.
"""


@dataclass(slots=True)
class Run:
    """One run of the program."""

    debug: bool = False


def run(arguments: Sequence[str]) -> int:
    """Run one command; returns its exit status. Errors are told on stderr, in words."""
    asked = Run()
    try:
        command = get_group(assembled(lambda text: screen.tell(f"warning: {text}"), rooms.asked(arguments)))
        status: object = command.main(args=list(arguments), prog_name="magnetar", standalone_mode=False, obj=asked)
    except TyperException as error:
        return _failed(error, debug=False) if error.format_message() else error.exit_code  # '': it has printed its help
    except typer.Abort:
        return int(Exit.INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - the outermost place: it is told, with a status of its own
        return _failed(error, debug=asked.debug)
    return status if isinstance(status, int) else int(Exit.OK)


def assembled(warn: Callable[[str], None], name: str | None = None) -> typer.Typer:
    """The command or group of ours with this name; None: all commands, those of plug-ins too.

    `warn` hears of plug-ins that cannot be used.
    """
    app = typer.Typer(
        help=reference.unwrapped(HELP),
        no_args_is_help=True,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    app.command("reference", hidden=True)(_reference)
    rooms.join(app, [name] if name else rooms.ROOMS)
    if name is None:
        plugins.join(app, plugins.installed(), warn)
    reference.unwrap(app)
    return app


def _version(asked: bool) -> None:
    if asked:
        typer.echo(version("magnetar"))
        raise typer.Exit


def _options(
    context: typer.Context,
    debug: Annotated[bool, typer.Option("--debug", help="Print the traceback of an error.")] = False,
    show_version: Annotated[  # noqa: ARG001 - its own callback acts on it
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_version)
    ] = False,
) -> None:
    if isinstance(context.obj, Run):
        context.obj.debug = debug


def _reference() -> None:
    """Print the reference of all commands as Markdown: what docs/reference/cli.md holds."""
    typer.echo(reference.markdown(get_group(assembled(screen.tell))), nl=False)


def _failed(error: Exception, *, debug: bool) -> int:
    if debug:
        screen.tell("".join(traceback.format_exception(error)).rstrip())
    screen.tell(f"error: {last_word(error)}")
    return status_of(error)
