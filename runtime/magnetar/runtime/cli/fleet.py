"""`magnetar shards` and `magnetar workers`: who has what, what waits, and who is there."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated, TypeAlias, TypeVar

import msgspec
import typer
from rich.live import Live

from magnetar.runtime.bus.port import BusUnavailable
from magnetar.runtime.cli import fleet_pictures, screen
from magnetar.runtime.cli.apps import wiring_of
from magnetar.runtime.cli.exits import BadInput, Exit
from magnetar.runtime.cli.options import Admin, AsJson, Store, reaching_broker, reading, settings
from magnetar.runtime.operate import fleet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from rich.console import RenderableType

    from magnetar.runtime.compose.lags import Lags
    from magnetar.runtime.operate.fleet import Lag, ShardReport, WorkerReport
    from magnetar.runtime.store.port import ShardName

App: TypeAlias = Annotated[
    str | None,
    typer.Argument(metavar="MODULE:APP", help="The app, for asking the broker how much each shard has not applied."),
]
Actor: TypeAlias = Annotated[str | None, typer.Option(metavar="NAME", help="This actor's only.")]
Watch: TypeAlias = Annotated[bool, typer.Option("--watch", help="Look again every second, until Ctrl-C.")]
Report = TypeVar("Report", bound=msgspec.Struct)
_EACH = 1.0


def shards(
    target: App = None,
    store: Store = None,
    admin: Admin = None,
    actor: Actor = None,
    watch: Watch = False,
    as_json: AsJson = False,
) -> None:
    """Show every shard: who has it, since when and why, and what waits in it.

    The store tells owner, epoch, unsent messages and armed timers. With MODULE:APP the broker is asked, over its REST
    API, how many messages each shard has not acknowledged and how old the oldest is.
    With --json one document for each look. Exit status 1: a shard has no owner that is alive.

        $ magnetar shards --store sqlite:///shop.db
        $ magnetar shards shop:app --actor orders --watch
        $ magnetar shards shop:app --json | jq '.shards[] | select(.oldest > 5)'
    """
    with ExitStack() as opened:
        views = opened.enter_context(reading(store))
        opened.enter_context(reaching_broker())
        lags = None if target is None else opened.enter_context(_lags(target, admin))
        found: list[ShardReport] = []

        def look() -> Sequence[ShardReport]:
            found[:] = fleet.shards(views, actor, _asked(lags, patient=watch))
            _known(found, actor)
            return found

        _tell(look, "shards", fleet_pictures.shards_picture, watch=watch, as_json=as_json)
    if not all(report.owner_alive for report in found):
        raise typer.Exit(Exit.NO)


def workers(store: Store = None, actor: Actor = None, watch: Watch = False, as_json: AsJson = False) -> None:
    """Show every worker: whether it is alive, when it was heard of, and which shards it has.

    A worker is alive while the store has seen it, and it has heard the broker, within three seconds. One that is
    gone stays in the list for an hour. With --json one document for each look.
    Exit status 1: none is alive.

        $ magnetar workers --store sqlite:///shop.db
        $ magnetar workers --actor orders --watch
    """
    with reading(store) as views:
        found: list[WorkerReport] = []

        def look() -> Sequence[WorkerReport]:
            found[:] = fleet.workers(views, actor)
            return found

        _tell(look, "workers", fleet_pictures.workers_picture, watch=watch, as_json=as_json)
    if not any(report.alive for report in found):
        raise typer.Exit(Exit.NO)


def _tell(
    look: Callable[[], Sequence[Report]],
    name: str,
    picture: Callable[[Sequence[Report], int], RenderableType],
    *,
    watch: bool,
    as_json: bool,
) -> None:
    if as_json:
        for found in _looks(look, watch=watch):
            screen.answer({name: msgspec.to_builtins(found)})
    elif not watch:
        screen.show(picture(look(), screen.width()))
    else:
        with Live(picture(look(), screen.width()), auto_refresh=False, screen=True) as live:
            for found in _looks(look, watch=True):
                live.update(picture(found, screen.width()), refresh=True)


def _looks(look: Callable[[], Sequence[Report]], *, watch: bool) -> Iterator[Sequence[Report]]:
    yield look()
    while watch:
        time.sleep(_EACH)
        yield look()


def _asked(lags: Lags | None, *, patient: bool) -> Mapping[ShardName, Lag] | None:
    """None where nobody asks, or the broker is away while somebody watches: what follows is what they want to see."""
    try:
        return None if lags is None else lags.look()
    except BusUnavailable:
        if patient:
            return None
        raise


def _known(found: Sequence[ShardReport], actor: str | None) -> None:
    if not found:
        which = "any actor" if actor is None else f"an actor {actor!r}"
        raise BadInput(f"this store knows no shard of {which}: start a worker on it once")


def _lags(target: str, admin: str | None) -> Lags:
    try:
        from magnetar.runtime.compose.lags import Lags  # noqa: PLC0415 - needs an extra that others do not
    except ModuleNotFoundError as error:
        if error.name != "httpx2":
            raise
        raise BadInput("the REST API needs httpx2: install magnetar[admin]") from error
    found = settings()
    return Lags(admin or found.admin, wiring_of(target), found.access())
