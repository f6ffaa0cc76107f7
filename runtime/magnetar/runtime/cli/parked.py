"""`magnetar keys …`: keys that wait, and what a person can do about them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, TypeAlias

import msgspec
import typer

from magnetar.runtime.cli import parked_pictures, screen
from magnetar.runtime.cli.asking import PATIENCE, Wait, Who, Why, ask, desk_of
from magnetar.runtime.cli.exits import BadInput
from magnetar.runtime.cli.options import AsJson, Store, reading
from magnetar.runtime.operate import parked
from magnetar.runtime.operate.key_names import KeyName
from magnetar.runtime.store.parking import Reason  # noqa: TC001 - typer reads the annotation
from magnetar.runtime.store.requests import What

if TYPE_CHECKING:
    from magnetar.runtime.operate.asking import Desk
    from magnetar.runtime.store.requests import Request
    from magnetar.runtime.store.views import Views

app = typer.Typer(no_args_is_help=True, help="Keys that wait: list them, pause, resume, retry or skip.")

Names: TypeAlias = Annotated[
    list[str] | None, typer.Argument(metavar="[ACTOR/KEY]...", help="Keys, such as orders/o-1 orders/o-2.")
]
OfActor: TypeAlias = Annotated[str | None, typer.Option("--actor", metavar="NAME", help="A whole actor, not a key.")]
OfType: TypeAlias = Annotated[
    str | None,
    typer.Option("--type", metavar="TYPE", help="With --actor: its messages of this type only, such as Pay."),
]


@app.command("list")
def list_(
    store: Store = None,
    actor: Annotated[str | None, typer.Option(metavar="NAME", help="This actor's only.")] = None,
    reason: Annotated[Reason | None, typer.Option(help="Those that wait for this only.")] = None,
    most: Annotated[int, typer.Option(min=1, max=100_000, metavar="N", help="So many at most.")] = 100,
    as_json: AsJson = False,
) -> None:
    r"""List the keys that wait, those that wait for longest first, and what is paused.

    A key waits because its first message has failed and is tried again (retry), died and a person decides (held),
    needs newer code (unread), or because a person has paused the key (paused) or that message's type (stopped).

        $ magnetar keys list --store sqlite:///shop.db
        $ magnetar keys list --actor orders --reason held
        $ magnetar keys list --json | jq -r '.keys[] | "\(.actor)/\(.key)"'
    """
    with reading(store) as views:
        keys = parked.keys(views, actor, None if reason is None else reason.value, most)
        pauses = parked.pauses(views, actor)
    if as_json:
        screen.answer({"keys": msgspec.to_builtins(keys), "pauses": msgspec.to_builtins(pauses)})
    else:
        screen.show(parked_pictures.keys_picture(keys, pauses, screen.width(), datetime.now(UTC)))


@app.command("pause")
def pause(  # noqa: PLR0913, PLR0917 - the options of the command
    why: Why,
    names: Names = None,
    actor: OfActor = None,
    type_: OfType = None,
    store: Store = None,
    who: Who = None,
    wait: Wait = PATIENCE,
    as_json: AsJson = False,
) -> None:
    """Pause keys, all messages of a type, or a whole actor, until they are resumed.

    Whatever comes for a paused key waits in the store, in order, and its first message is not tried any more. With
    --type a key waits as soon as such a message comes for it. With --actor alone its shards take nothing: the broker
    keeps what comes, and timers wait. What has begun is finished first; no message is lost, and none is tried twice.

        $ magnetar keys pause orders/o-1 --why "the customer calls back"
        $ magnetar keys pause --actor payments --type Capture --why "the bank is away"
        $ magnetar keys pause --actor payments --why "wrong deployment"
    """
    with desk_of(store, who, why) as (_, desk):
        ask(desk, _chosen(desk, names, actor, type_, (What.PAUSE, What.PAUSE_ALL)), wait, as_json=as_json)


@app.command("resume")
def resume(  # noqa: PLR0913, PLR0917 - the options of the command
    why: Why,
    names: Names = None,
    actor: OfActor = None,
    type_: OfType = None,
    store: Store = None,
    who: Who = None,
    wait: Wait = PATIENCE,
    as_json: AsJson = False,
) -> None:
    """Let keys, a type, or a whole actor go on.

    What has waited is applied in order, the first message at once. A key that is held after a dead letter goes on
    without that message, which stays a dead letter: `magnetar keys retry` tries it again instead, `skip` gives it up.

        $ magnetar keys resume orders/o-1 --why "called back"
        $ magnetar keys resume --actor payments --type Capture --why "the bank is back"
    """
    with desk_of(store, who, why) as (_, desk):
        ask(desk, _chosen(desk, names, actor, type_, (What.RESUME, What.RESUME_ALL)), wait, as_json=as_json)


@app.command("retry")
def retry(  # noqa: PLR0913, PLR0917 - the options of the command
    why: Why,
    names: Names = None,
    actor: OfActor = None,
    type_: OfType = None,
    error: Annotated[
        str | None, typer.Option(metavar="CLASS", help="With --actor: those that fail with this error only.")
    ] = None,
    store: Store = None,
    who: Who = None,
    wait: Wait = PATIENCE,
    as_json: AsJson = False,
) -> None:
    """Try the first message of keys now, not when its time has come.

    If it succeeds, what waits behind it follows; if it fails, that is one more attempt. Of a key that is held after a
    dead letter that letter is tried: if it fails again it stays one, and the key held. With --actor all keys of it
    whose first message is tried again by itself: after an outage nobody need wait for the last tier.

        $ magnetar keys retry orders/o-1 --why "price list is there"
        $ magnetar keys retry --actor payments --error ConnectError --why "the bank is back"
    """
    with desk_of(store, who, why) as (views, desk):
        if names or actor is None:
            requests = _of_keys(desk, names, actor, What.RETRY)
        else:
            requests = _of_waiting(views, desk, actor, type_, error)
        ask(desk, requests, wait, as_json=as_json)


@app.command("skip")
def skip(
    names: Names, why: Why, store: Store = None, who: Who = None, wait: Wait = PATIENCE, as_json: AsJson = False
) -> None:
    """Give the first message of keys up, for good, and let what waits behind it go on.

    It is never applied, and stays in the journal as skipped. Of a key that is held after a dead letter that letter is
    given up. A paused key stays paused.

        $ magnetar keys skip orders/o-1 --why "the order was cancelled by phone"
    """
    with desk_of(store, who, why) as (_, desk):
        ask(desk, _of_keys(desk, names, None, What.SKIP), wait, as_json=as_json)


def _chosen(
    desk: Desk, names: list[str] | None, actor: str | None, type_: str | None, what: tuple[What, What]
) -> list[Request]:
    if actor is None or names:
        if type_ is not None:
            raise BadInput("--type needs --actor, and no key beside it: a type is paused for all keys of an actor")
        return _of_keys(desk, names, actor, what[0])
    return desk.about_all(actor, what[1], type_ or "")


def _of_keys(desk: Desk, names: list[str] | None, actor: str | None, what: What) -> list[Request]:
    if not names:
        raise BadInput("which key? name one, such as orders/o-1, or a whole actor with --actor")
    if actor is not None:
        raise BadInput("name keys, or a whole actor with --actor, not both")
    return [desk.about_key(KeyName.parse(name), what) for name in names]


def _of_waiting(views: Views, desk: Desk, actor: str, type_: str | None, error: str | None) -> list[Request]:
    keys = parked.waiting_for_retry(views, actor, type_, error)
    return [desk.about_key(KeyName(actor, key.key), What.RETRY) for key in keys]
