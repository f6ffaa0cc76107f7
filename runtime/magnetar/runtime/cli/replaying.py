"""`magnetar dlq replay` and `magnetar dlq replays`: dead letters tried again, many at a time and with care."""

from __future__ import annotations

import time
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, TypeAlias

import msgspec
import typer

from magnetar.runtime.cli import letter_pictures, screen
from magnetar.runtime.cli.asking import Wait, Who  # noqa: TC001 - typer reads the annotations
from magnetar.runtime.cli.exits import BadInput, Exit
from magnetar.runtime.cli.letters import (
    NONE_CHOSEN,
    Actor,
    Apply,
    Error,
    Group,
    Key,
    Messages,
    Since,
    Status,
    Type,
    Until,
    which_of,
)
from magnetar.runtime.cli.letters import app as dlq
from magnetar.runtime.cli.options import AsJson, Store, reading, shared_store
from magnetar.runtime.cli.wording import counted, span
from magnetar.runtime.compose.settings import login_name
from magnetar.runtime.instant import to_datetime
from magnetar.runtime.operate import letters, replaying
from magnetar.runtime.operate.asking import Asker
from magnetar.runtime.operate.replaying import Driver, Pace, Silence
from magnetar.runtime.store.replays import ReplayStatus
from magnetar.runtime.store.views import Which

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from magnetar.runtime.operate.course import Progress
    from magnetar.runtime.operate.replaying import ReplayReport
    from magnetar.runtime.store.replays import Replay, Requests
    from magnetar.runtime.store.views import Views

app = dlq
"""With the commands of this module."""

MaybeWhy: TypeAlias = Annotated[
    str | None, typer.Option("--why", metavar="TEXT", help="Why: needed to begin one; kept with it.")
]
Canary: TypeAlias = Annotated[int, typer.Option(min=1, max=10_000, metavar="N", help="So many go first, alone.")]
Rate: TypeAlias = Annotated[
    float, typer.Option(min=0.01, max=10_000.0, metavar="N", help="Then so many a second at most.")
]
StopAt: TypeAlias = Annotated[
    float, typer.Option(min=0.0, max=1.0, metavar="SHARE", help="Stop when a larger share than this fails again.")
]
Tried: TypeAlias = Annotated[
    int, typer.Option("--most", min=1, max=1_000, metavar="N", help="Leave those alone that were replayed so often.")
]
Resume: TypeAlias = Annotated[
    str | None, typer.Option(metavar="ID", help="Go on with a replay that was interrupted, or has stopped.")
]
_EACH = 1.0
_PATIENCE = 30.0


@app.command("replay")
def replay(  # noqa: PLR0913, PLR0917 - the options of the command
    messages: Messages = None,
    store: Store = None,
    actor: Actor = None,
    key: Key = None,
    type_: Type = None,
    error: Error = None,
    group: Group = None,
    since: Since = None,
    until: Until = None,
    canary: Canary = 1,
    rate: Rate = 10.0,
    stop_at: StopAt = 0.1,
    most: Tried = 3,
    resume: Resume = None,
    who: Who = None,
    why: MaybeWhy = None,
    apply: Apply = False,
    wait: Wait = _PATIENCE,
    as_json: AsJson = False,
) -> None:
    """Try dead letters again; without --apply only show which, and how.

    What is chosen is chosen once: letters that die later are not among them. A few go first, alone; then so many a
    second, until all are tried, or too large a share has failed again. Of one key they go in their order, the next one
    only when the one before it was applied, and what waits for the key follows. One that fails again is a dead letter
    still; so is one that was replayed --most times before. Nothing is applied twice, whatever is interrupted:
    --resume goes on, with the letters and the pace of the first call.
    Exit status 1: it has stopped, or some have failed again or were refused. 3: nobody has answered for --wait seconds.

        $ magnetar dlq replay --group 5f0c
        $ magnetar dlq replay --group 5f0c --canary 10 --rate 50 --why "the bank is back" --apply
        $ magnetar dlq replay --resume 04f0f19d
    """
    if resume is not None:
        with _desk(store) as (views, book):
            _drive(views, book, replaying.find(views, resume), wait, as_json=as_json)
        return
    pace = Pace(canary, rate, stop_at, most)
    with _desk(store) as (views, book):
        which = which_of(actor, key, type_, error, group, since, until, Status.DEAD, views.now())
        if not messages and which == Which():
            raise BadInput(NONE_CHOSEN)
        ids = [letters.one(views, message, actor).message_id for message in messages or ()]
        if not apply:
            _rehearse(views, which, ids, pace, as_json=as_json)
            return
        if why is None:
            raise BadInput("why? say it with --why: it is kept with the replay, and shown in the keys' timelines")
        begun = replaying.begin(views, book, Asker.of(who or login_name(), why), pace, which, ids)
        _drive(views, book, begun, wait, as_json=as_json)


@app.command("replays")
def replays(store: Store = None, as_json: AsJson = False) -> None:
    """List replays, the last first, and how far each has come.

    One that is running may have been interrupted: `magnetar dlq replay --resume` goes on with it, and asks nothing
    twice, even while another is at it.

        $ magnetar dlq replays --store sqlite:///shop.db
    """
    with reading(store) as views:
        reports = [replaying.report(views, each) for each in views.replays(20)]
    if as_json:
        screen.answer({"replays": msgspec.to_builtins(reports)})
    else:
        screen.show(letter_pictures.replays_picture(reports))


@contextmanager
def _desk(store: str | None) -> Generator[tuple[Views, Requests]]:
    place = shared_store(store)
    views = place.views()
    try:
        book = place.requests()
        try:
            yield views, book
        finally:
            book.close()
    finally:
        views.close()


def _rehearse(views: Views, which: Which, ids: Sequence[bytes], pace: Pace, *, as_json: bool) -> None:
    """What would be done."""
    chosen = [which._replace(message=each.hex()) for each in ids] or [which]
    groups = [group for each in chosen for group in letters.groups(views, each, 1000)]
    count = sum(group.letters for group in groups)
    if as_json:
        screen.answer({"letters": count, "groups": msgspec.to_builtins(groups), "applied": False})
    else:
        now = to_datetime(views.now())
        screen.show(letter_pictures.groups_picture(groups, screen.width(), now))
    takes = span(timedelta(seconds=count / pace.rate))
    screen.tell(
        f"{counted(count, 'dead letter')} would be tried again: {pace.canary} first, then {pace.rate:g} a second "
        f"(about {takes}), stopping when more than {pace.stop_at:.0%} fail again: add --apply to do it"
    )
    if not count:
        raise typer.Exit(Exit.NO)


def _drive(views: Views, book: Requests, begun: Replay, wait: float, *, as_json: bool) -> None:
    name = replaying.report(views, begun).id
    again = f"go on with: magnetar dlq replay --resume {name}"
    screen.tell(f"replay {name}: {counted(begun.letters, 'dead letter')}")
    try:
        report = Driver(views, book, begun, wait).run(_teller())
    except (Silence, KeyboardInterrupt) as error:
        if isinstance(error, Silence):
            screen.tell(
                f"nobody has answered for {wait:g} s: see `magnetar shards` for one without an owner, and `magnetar "
                f"workers` for a dependency that is left alone; then {again}"
            )
            raise typer.Exit(Exit.UNAVAILABLE) from error
        screen.tell(f"interrupted; {again}")
        raise
    if as_json:
        screen.answer(msgspec.to_builtins(report))
    else:
        screen.show(letter_pictures.replays_picture([report]))
    if report.status == ReplayStatus.STOPPED:
        screen.tell(f"stopped: {report.said}; look at `magnetar dlq groups`, mend the cause, then {again}")
    _end(report)


def _end(report: ReplayReport) -> None:
    if report.status != ReplayStatus.DONE or report.progress.failed or report.progress.refused:
        raise typer.Exit(Exit.NO)


def _teller() -> Callable[[Progress], None]:
    """Says how far it has come, once a second."""
    told = time.monotonic()

    def tell(progress: Progress) -> None:
        nonlocal told
        if time.monotonic() - told >= _EACH:
            told = time.monotonic()
            screen.tell(letter_pictures.progress_line(progress))

    return tell
