"""What commands that ask a shard's owner share: who asks and why, the waiting, and how answers are told."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, TypeAlias

import msgspec
import typer

from magnetar.runtime.cli import screen
from magnetar.runtime.cli.exits import Exit
from magnetar.runtime.cli.options import shared_store
from magnetar.runtime.compose.settings import login_name
from magnetar.runtime.operate.asking import Asker, Desk, RequestReport, told
from magnetar.runtime.store.requests import RequestStatus

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from magnetar.runtime.store.requests import Request
    from magnetar.runtime.store.views import Views

Who: TypeAlias = Annotated[
    str | None, typer.Option(metavar="NAME", help="Who asks; else your login name. It is kept with the request.")
]
Why: TypeAlias = Annotated[str, typer.Option(metavar="TEXT", help="Why: kept with the request, shown in the timeline.")]
Wait: TypeAlias = Annotated[
    float, typer.Option(min=0.0, max=3600.0, metavar="SECONDS", help="How long to wait for the shards' owners.")
]
PATIENCE = 10.0


@contextmanager
def desk_of(store: str | None, who: str | None, why: str) -> Generator[tuple[Views, Desk]]:
    """Views of the store, and a way to ask the owners of its shards. `StoreUnavailable` where there is none."""
    asker = Asker.of(who or login_name(), why)
    place = shared_store(store)
    views = place.views()
    try:
        book = place.requests()
        try:
            yield views, Desk(views, book, asker)
        finally:
            book.close()
    finally:
        views.close()


def ask(desk: Desk, requests: Sequence[Request], wait: float, *, as_json: bool) -> None:
    """Ask, tell each answer as it comes, and exit: 1 if any was refused or failed, 3 if any got no answer."""
    answers: list[RequestReport] = []
    for request in desk.ask(requests, wait):
        report = told(request)
        answers.append(report)
        if not as_json:
            _tell(report)
    if as_json:
        screen.answer({"requests": msgspec.to_builtins(answers)})
    end(answers)


def end(answers: Sequence[RequestReport]) -> None:
    """The exit status that these answers make."""
    if any(each.status == RequestStatus.ASKED for each in answers):
        screen.tell("what was asked stays asked: it is done as soon as its shard has an owner; see `magnetar shards`")
        raise typer.Exit(Exit.UNAVAILABLE)
    if any(each.status != RequestStatus.DONE for each in answers):
        raise typer.Exit(Exit.NO)


def _tell(report: RequestReport) -> None:
    if report.status == RequestStatus.ASKED:
        typer.echo(f"waiting  {report.about}: nobody has answered yet; request {report.id}")
    else:
        typer.echo(f"{report.status:<7}  {report.answer}")
