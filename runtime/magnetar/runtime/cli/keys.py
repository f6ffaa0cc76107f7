"""`magnetar key …`: what one key is now, and how it came to be so."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, TypeAlias

import typer

from magnetar.runtime.cli import key_pictures, screen, why_picture
from magnetar.runtime.cli.exits import Exit
from magnetar.runtime.cli.options import AsJson, Store, reading
from magnetar.runtime.operate import keys
from magnetar.runtime.operate.key_names import KeyName
from magnetar.runtime.operate.obstacle import Cause
from magnetar.runtime.operate.why import why as explained

app = typer.Typer(no_args_is_help=True, help="What one key (an order, a stock item) is now, and how it came to be so.")

Name: TypeAlias = Annotated[
    str, typer.Argument(metavar="ACTOR/KEY", help="The actor, a slash, and the key: orders/o-1.")
]


@app.command("show")
def show(name: Name, store: Store = None, as_json: AsJson = False) -> None:
    """Show a key as it is now: its state, timers, what it has decided and not sent yet, and who owns it.

    A parked key says what it waits for, since when, and what waits behind it. The state is read with the schema that
    its writer kept in the store, so the app's code is not needed.
    Exit status 1: the key was never seen.

        $ magnetar key show orders/o-1 --store sqlite:///shop.db
        $ magnetar key show stock/s-1 --json | jq .state.value
    """
    with reading(store) as views:
        report = keys.show(views, KeyName.parse(name))
    if as_json:
        screen.answer(keys.as_json(report))
    else:
        screen.show(key_pictures.key_picture(report, datetime.now(UTC)))
    if not report.seen:
        raise typer.Exit(Exit.NO)


@app.command("why")
def why(name: Name, store: Store = None, as_json: AsJson = False) -> None:
    """Tell why a key stands where it stands: what keeps it, since when, what happens next, and what you can do.

    The first cause told is the one that has to end first. The message that all others of the key wait for is shown
    with its failed attempts. Read from the store alone: the app's code and the broker are not needed.
    Exit status 1: the key was never seen, and nothing explains why.

        $ magnetar key why orders/o-1 --store sqlite:///shop.db
        $ magnetar key why orders/o-1 --json | jq -r '.obstacles[0].cause'
    """
    with reading(store) as views:
        explanation = explained(views, KeyName.parse(name))
    if as_json:
        screen.answer(keys.as_json(explanation))
    else:
        screen.show(why_picture.why_picture(explanation, datetime.now(UTC)))
    if not explanation.seen and explanation.cause is Cause.NOTHING:
        raise typer.Exit(Exit.NO)


@app.command("timeline")
def timeline(
    name: Name,
    store: Store = None,
    last: Annotated[int, typer.Option(min=1, max=keys.MOST_MESSAGES, help="How many messages, the latest ones.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Tell a key's story from the journal: every message that came, what it did, what it sent, and when.

    The version is the state's after the message; one that is parked or dead has none, and tells each failed attempt.
    With --json one object holds them all.
    Exit status 1: the key was never seen.

        $ magnetar key timeline orders/o-1 --store sqlite:///shop.db
        $ magnetar key timeline stock/s-1 --last 20
        $ magnetar key timeline orders/o-1 --json | jq '.messages[].type'
    """
    with reading(store) as views:
        told = keys.timeline(views, KeyName.parse(name), last)
    if as_json:
        screen.answer(keys.as_json(told))
    else:
        screen.show(key_pictures.timeline_picture(told, screen.width()))
    if not told.messages:
        raise typer.Exit(Exit.NO)
