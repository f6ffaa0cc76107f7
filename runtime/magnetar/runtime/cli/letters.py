"""`magnetar dlq …`: dead letters, and what a person can do about them."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, TypeAlias

import msgspec
import typer

from magnetar.runtime.cli import letter_pictures, screen
from magnetar.runtime.cli.apps import MOST_JSON
from magnetar.runtime.cli.asking import PATIENCE, Wait, Who, Why, ask, desk_of
from magnetar.runtime.cli.exits import BadInput, Exit
from magnetar.runtime.cli.options import AsJson, Store, reading
from magnetar.runtime.cli.wording import counted
from magnetar.runtime.instant import SECOND, from_datetime
from magnetar.runtime.operate import letters
from magnetar.runtime.store.requests import What
from magnetar.runtime.store.views import Which

if TYPE_CHECKING:
    from magnetar.runtime.instant import Instant

app = typer.Typer(no_args_is_help=True, help="Dead letters: list, count, show, edit, replay and discard them.")

MOST = 1_000_000
NONE_CHOSEN = "which dead letters? name them, or choose by --actor, --key, --type, --error, --group, --since"
_AGE = re.compile(r"(\d{1,6})(s|m|h|d)")
_UNITS = {"s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND, "d": 86_400 * SECOND}


class Status(StrEnum):
    """What became of a dead letter."""

    DEAD = "dead"
    REPLAYED = "replayed"
    DISCARDED = "discarded"
    ALL = "all"


Message: TypeAlias = Annotated[
    str, typer.Argument(metavar="MESSAGE", help="A message id, or the end of one as lists show it.")
]
Messages: TypeAlias = Annotated[
    list[str] | None, typer.Argument(metavar="[MESSAGE]...", help="Message ids, or their ends as lists show them.")
]
Actor: TypeAlias = Annotated[str | None, typer.Option(metavar="NAME", help="Of this actor only.")]
Key: TypeAlias = Annotated[str | None, typer.Option(metavar="KEY", help="Of this key only, such as o-1.")]
Type: TypeAlias = Annotated[str | None, typer.Option("--type", metavar="TYPE", help="Of this message type only.")]
Error: TypeAlias = Annotated[
    str | None, typer.Option(metavar="CLASS", help="With this error only, such as ValueError.")
]
Group: TypeAlias = Annotated[
    str | None, typer.Option(metavar="FINGERPRINT", help="Of this cause only, as `dlq groups` names it.")
]
Since: TypeAlias = Annotated[
    str | None, typer.Option(metavar="WHEN", help="Not older: an age such as 2h, or 2026-01-31[T12:00] (UTC).")
]
Until: TypeAlias = Annotated[str | None, typer.Option(metavar="WHEN", help="Not younger; likewise.")]
Most: TypeAlias = Annotated[int, typer.Option(min=1, max=100_000, metavar="N", help="So many at most.")]
Apply: TypeAlias = Annotated[bool, typer.Option("--apply", help="Do it; without this it is only shown.")]
Ofstatus: TypeAlias = Annotated[Status, typer.Option(help="What became of them.")]


@app.command("list")
def list_(  # noqa: PLR0913, PLR0917 - the options of the command
    store: Store = None,
    actor: Actor = None,
    key: Key = None,
    type_: Type = None,
    error: Error = None,
    group: Group = None,
    since: Since = None,
    until: Until = None,
    status: Ofstatus = Status.DEAD,
    most: Most = 50,
    as_json: AsJson = False,
) -> None:
    """List dead letters: messages that have failed for good, and wait for a person. The last that died come first.

    $ magnetar dlq list --store sqlite:///shop.db
    $ magnetar dlq list --actor orders --error ValueError --since 2h
    $ magnetar dlq list --group 5f0c --status all --json | jq '.letters[].key'
    """
    with reading(store) as views:
        which = which_of(actor, key, type_, error, group, since, until, status, views.now())
        found = letters.found(views, which, most)
    if as_json:
        screen.answer({"letters": msgspec.to_builtins(found)})
    else:
        screen.show(letter_pictures.letters_picture(found, most, screen.width(), datetime.now(UTC)))


@app.command("groups")
def groups(  # noqa: PLR0913, PLR0917 - the options of the command
    store: Store = None,
    actor: Actor = None,
    key: Key = None,
    type_: Type = None,
    error: Error = None,
    since: Since = None,
    until: Until = None,
    status: Ofstatus = Status.DEAD,
    most: Most = 50,
    as_json: AsJson = False,
) -> None:
    """Count dead letters by cause, the largest group first.

    One cause is the same actor, message type, class of error, place in the code and text, whatever numbers and ids
    that names. Its fingerprint is what --group of the other commands takes; the beginning of one is enough.

        $ magnetar dlq groups --store sqlite:///shop.db
        $ magnetar dlq groups --actor orders --since 1d --json
    """
    with reading(store) as views:
        which = which_of(actor, key, type_, error, None, since, until, status, views.now())
        found = letters.groups(views, which, most)
    if as_json:
        screen.answer({"groups": msgspec.to_builtins(found)})
    else:
        screen.show(letter_pictures.groups_picture(found, screen.width(), datetime.now(UTC)))


@app.command("show")
def show(message: Message, store: Store = None, actor: Actor = None, as_json: AsJson = False) -> None:
    """Show a dead letter in full: what it says, where it came from, how it failed, what was asked about it.

    It is read with the schema of its writer, which the store keeps, so the app's code is not needed. With --json its
    original bytes too, in base64.

        $ magnetar dlq show 04f0f19d --store sqlite:///shop.db
    """
    with reading(store) as views:
        detail = letters.shown(views, letters.one(views, message, actor))
    if as_json:
        screen.answer(msgspec.to_builtins(detail))
    else:
        screen.show(letter_pictures.letter_picture(detail, datetime.now(UTC)))


@app.command("edit")
def edit(  # noqa: PLR0913, PLR0917 - the options of the command
    message: Message,
    json: Annotated[str, typer.Argument(metavar="JSON", help="What it is to say; `-` reads it from stdin.")],
    why: Why,
    store: Store = None,
    actor: Actor = None,
    who: Who = None,
    apply: Apply = False,
    wait: Wait = PATIENCE,
    as_json: AsJson = False,
) -> None:
    """Change what a dead letter says; without --apply only show what it says now. It is not tried by that: replay it.

    Off unless workers run with MAGNETAR_EDITS=true. The worker checks the JSON against the message's type; its key must
    stay what it is. What it said before is kept, with who changed it and why, and `dlq show` tells it.

        $ magnetar dlq show 04f0f19d --json | jq -c .content.value
        $ magnetar dlq edit 04f0f19d '{"order_id": "o-1", "total": "12.50"}' --why "the price was missing" --apply
    """
    text = sys.stdin.read(MOST_JSON + 1) if json == "-" else json
    if len(text) > MOST_JSON:
        raise BadInput(f"this JSON has more than {MOST_JSON} characters; no message can be that large")
    with desk_of(store, who, why) as (views, desk):
        letter = letters.one(views, message, actor)
        if apply:
            ask(desk, [desk.edited(letter, text)], wait, as_json=as_json)
            return
        detail = letters.shown(views, letter)
    if as_json:
        screen.answer({"letter": msgspec.to_builtins(detail), "applied": False})
    else:
        screen.show(letter_pictures.letter_picture(detail, datetime.now(UTC)))
    screen.tell("it would be edited: add --apply to do it")


@app.command("discard")
def discard(  # noqa: PLR0913, PLR0917 - the options of the command
    why: Why,
    messages: Messages = None,
    store: Store = None,
    actor: Actor = None,
    key: Key = None,
    type_: Type = None,
    error: Error = None,
    group: Group = None,
    since: Since = None,
    until: Until = None,
    who: Who = None,
    apply: Apply = False,
    wait: Wait = PATIENCE,
    as_json: AsJson = False,
) -> None:
    """Give dead letters up for good; without --apply only show which.

    They are never applied, and stay in the store as discarded. A key that is held for one of them goes on.

        $ magnetar dlq discard 04f0f19d --why "paid by hand" --apply
        $ magnetar dlq discard --actor orders --group 5f0c --why "test data" --apply
    """
    with desk_of(store, who, why) as (views, desk):
        which = which_of(actor, key, type_, error, group, since, until, Status.DEAD, views.now())
        if messages:
            chosen = [letters.one(views, message, actor) for message in messages]
        elif which == Which():
            raise BadInput(NONE_CHOSEN)
        else:
            chosen = views.letters(which, MOST)
        if apply:
            ask(desk, [desk.about_letter(letter, What.DISCARD) for letter in chosen], wait, as_json=as_json)
            return
    reports = [letters.reported(letter) for letter in chosen]
    if as_json:
        screen.answer({"letters": msgspec.to_builtins(reports), "applied": False})
    else:
        screen.show(letter_pictures.letters_picture(reports, MOST, screen.width(), datetime.now(UTC)))
    keys = counted(letters.keys_of(chosen), "key")
    screen.tell(f"{counted(len(chosen), 'dead letter')} of {keys} would be discarded: add --apply to do it")
    if not chosen:
        raise typer.Exit(Exit.NO)


def which_of(  # noqa: PLR0913, PLR0917 - the options of the command
    actor: str | None,
    key: str | None,
    type_: str | None,
    error: str | None,
    group: str | None,
    since: str | None,
    until: str | None,
    status: Status,
    now: Instant,
) -> Which:
    """What the options choose. Raises `BadInput`."""
    return Which(
        actor, key, type_, error, None if group is None else group.lower(), None,
        None if since is None else moment(since, now), None if until is None else moment(until, now),
        "" if status is Status.ALL else status.value,
    )  # fmt: skip


def moment(text: str, now: Instant) -> Instant:
    """The instant that an age (`90s`, `15m`, `2h`, `3d`) or a date and time (UTC, unless it says) names. `BadInput`."""
    if (age := _AGE.fullmatch(text)) is not None:
        return now - int(age[1]) * _UNITS[age[2]]
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"{text!r:.80} is no time: write an age such as 2h, or 2026-01-31T12:00") from error
    return from_datetime(found if found.tzinfo is not None else found.replace(tzinfo=UTC))
