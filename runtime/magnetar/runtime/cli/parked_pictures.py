"""How keys that wait look. Pure: reports, a width and a moment in, something for a terminal out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from magnetar.runtime.cli.screen import NARROW
from magnetar.runtime.cli.wording import counted, from_now, simple, span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from rich.console import RenderableType

    from magnetar.runtime.operate.parked import PauseReport, WaitingKey

_NAME, _FAINT, _BAD, _MOVE = "bold", "dim", "bold red", "cyan"
_TEXT = 120


def keys_picture(
    keys: Sequence[WaitingKey], pauses: Sequence[PauseReport], width: int, now: datetime
) -> RenderableType:
    """What is paused as a whole, then a row for each key."""
    parts: list[RenderableType] = [_pause(pause, now) for pause in pauses]
    if not keys:
        return Group(*parts, Text("no key waits", style=_FAINT))
    body = _table(keys, now) if width >= NARROW else Group(*[line for key in keys for line in _block(key, now)])
    waiting = sum(key.waiting for key in keys)
    return Group(*parts, body, Text(), Text(f"{counted(len(keys), 'key')}, {counted(waiting, 'message')} waiting"))


def _pause(pause: PauseReport, now: datetime) -> Text:
    what = simple(pause.type) or "everything"
    where = counted(len(pause.shards), "shard")
    return Text.assemble(
        (f"paused  {what} of {pause.actor}", _BAD), f" ({where})",
        (f"  by {pause.who}, {from_now(pause.since, now)}: {pause.why}", _FAINT),
    )  # fmt: skip


def _table(keys: Sequence[WaitingKey], now: datetime) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), expand=True, header_style=_FAINT, pad_edge=False)
    for name in ("key", "why", "since"):
        table.add_column(name, no_wrap=name != "key", overflow="fold")
    table.add_column("waiting", justify="right")
    table.add_column("what for", ratio=1, overflow="fold")
    for key in keys:
        table.add_row(_name(key), _reason(key), Text(span(now - key.since)), f"{key.waiting:,}", _what_for(key, now))
    return table


def _block(key: WaitingKey, now: datetime) -> Iterator[Text]:
    yield Text.assemble(_name(key), "  ", _reason(key), f"  {span(now - key.since)}, {counted(key.waiting, 'message')}")
    yield Text("  ").append_text(_what_for(key, now))


def _name(key: WaitingKey) -> Text:
    return Text(f"{key.actor}/{key.key}", style=_NAME)


def _reason(key: WaitingKey) -> Text:
    return Text(key.reason, style=_MOVE if key.due is not None else _BAD)


def _what_for(key: WaitingKey, now: datetime) -> Text:
    error = f"{simple(key.error)}: {key.error_text}" if key.error else ""
    said = error if len(error) <= _TEXT else error[: _TEXT - 1] + "…"
    if key.due is not None:
        tries = f"failed {counted(key.failures, 'time')}, " if key.failures else ""
        return Text.assemble(f"{tries}tried again {from_now(key.due, now)}", (f"  {said}", _FAINT))
    for_whom = {"stopped": f"{simple(key.held_by)} is paused", "paused": "a person", "held": "a person"}
    return Text.assemble(for_whom.get(key.reason, key.reason), (f"  {said}" if said else "", _FAINT))
