"""`magnetar store …`: what a PostgreSQL store needs from time to time."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from magnetar.runtime.cli import screen
from magnetar.runtime.cli.exits import BadInput
from magnetar.runtime.cli.options import AsJson, Store, settings
from magnetar.runtime.cli.wording import counted
from magnetar.runtime.compose.places import store_upkeep
from magnetar.runtime.instant import SECOND, from_datetime, to_iso

if TYPE_CHECKING:
    from magnetar.runtime.instant import Instant

app = typer.Typer(no_args_is_help=True, help="Migrations of a PostgreSQL store, and its journal's age.")

_DAY = 86_400 * SECOND
_LEAST_DAYS = 7
_DAYS = re.compile(r"(\d{1,5})d")

Before: TypeAlias = Annotated[
    str, typer.Option(metavar="WHEN", help="A day such as 2026-01-31 (UTC), or an age such as 90d; at least 7d.")
]
Apply: TypeAlias = Annotated[bool, typer.Option("--apply", help="Do it; without this it is only shown.")]
Post: TypeAlias = Annotated[
    bool, typer.Option("--post", help="Also those that older code does not survive: when its last worker is gone.")
]


@app.command("migrate")
def migrate(store: Store = None, post: Post = False, as_json: AsJson = False) -> None:
    """Apply the migrations that the store lacks, and print which.

    Workers apply those of the phase `pre` by themselves when they start. Those of the phase `post` end the use of the
    store by older code, so they wait for this command. It may be repeated at any time.

        $ magnetar store migrate --post --store postgresql://db/shop
    """
    with store_upkeep(store or settings().store) as upkeep:
        done = upkeep.migrate(post=post)
        waiting = upkeep.waiting()
    if as_json:
        screen.answer({"applied": done, "waiting": waiting})
        return
    for name in done:
        typer.echo(f"applied  {name}")
    for name in waiting:
        typer.echo(f"waiting  {name}")
    screen.tell(f"{counted(len(done), 'migration')} applied")


@app.command("trim")
def trim(before: Before, store: Store = None, apply: Apply = False, as_json: AsJson = False) -> None:
    """Drop what the journal holds from before a day; without --apply only show what would go.

    Choose an age that no message can reach before it is delivered again: a message that comes after its row has gone
    would be applied a second time. Parked and dead messages stay, whatever their age. Partitions ahead are made, too.
    Workers do this by themselves where MAGNETAR_JOURNAL_DAYS tells them how much to keep.

        $ magnetar store trim --before 90d --store postgresql://db/shop
    """
    with store_upkeep(store or settings().store) as upkeep:
        horizon = _horizon(before, upkeep.now())
        trimmed = upkeep.trim(horizon, apply=apply)
    if as_json:
        tables = [{"table": each.table, "gone": each.gone, "kept": each.kept} for each in trimmed]
        screen.answer({"before": to_iso(horizon), "applied": apply, "tables": tables})
        return
    for each in trimmed:
        typer.echo(f"{each.table}  {counted(each.gone, 'row')} {'gone' if apply else 'would go'}, {each.kept} kept")
    if not trimmed:
        screen.tell(f"nothing in the journal is from before {to_iso(horizon)}")
    elif not apply:
        screen.tell("nothing was changed: add --apply to do it")


def _horizon(text: str, now: Instant) -> Instant:
    """The instant that a day or an age names. Raises `BadInput` for other text, and for one that is too near."""
    if (days := _DAYS.fullmatch(text)) is not None:
        horizon = now - int(days[1]) * _DAY
    else:
        try:
            horizon = from_datetime(datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC))
        except ValueError as error:
            raise BadInput(f"--before {text!r}: write a day such as 2026-01-31, or an age such as 90d") from error
    if horizon > now - _LEAST_DAYS * _DAY:
        raise BadInput(f"--before {text!r} is less than {_LEAST_DAYS} days ago: its messages may still come again")
    return horizon
