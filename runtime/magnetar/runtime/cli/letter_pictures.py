"""How dead letters look. Pure: reports, a width and a moment in, something for a terminal out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from magnetar.runtime.cli.key_pictures import content_picture, requests_picture
from magnetar.runtime.cli.screen import NARROW
from magnetar.runtime.cli.wording import clock, counted, from_now, short, simple, span

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from rich.console import RenderableType

    from magnetar.runtime.operate.course import Progress
    from magnetar.runtime.operate.letters import GroupReport, LetterDetail, LetterReport
    from magnetar.runtime.operate.replaying import ReplayReport

_NAME, _FAINT, _BAD, _MOVE = "bold", "dim", "bold red", "cyan"
_TEXT = 160
_NUMBERS = {"letters", "keys", "last", "first"}


def letters_picture(letters: Sequence[LetterReport], most: int, width: int, now: datetime) -> RenderableType:
    """A row for each, and how many there are."""
    if not letters:
        return Text("no dead letter", style=_FAINT)
    body = _table(letters, now) if width >= NARROW else Group(*[line for each in letters for line in _block(each, now)])
    more = "; there may be more: ask for them with --most" if len(letters) == most else ""
    return Group(body, Text(), Text(f"{counted(len(letters), 'dead letter')}{more}"))


def groups_picture(groups: Sequence[GroupReport], width: int, now: datetime) -> RenderableType:
    """A row for each cause."""
    if not groups:
        return Text("no dead letter", style=_FAINT)
    rows = [
        (
            Text(group.fingerprint, style=_MOVE), f"{group.letters:,}", f"{group.keys:,}", span(now - group.last),
            span(now - group.first), Text.assemble(f"{group.actor}: ", (simple(group.type) or "unreadable", _NAME)),
            _error(group.error, group.example),
        )
        for group in groups
    ]  # fmt: skip
    total = sum(group.letters for group in groups)
    sum_ = Text(f"{counted(total, 'dead letter')} in {counted(len(groups), 'group')}")
    if width < NARROW:
        lines = [
            Text.assemble(fingerprint, f"  {count} of {keys} keys, last {last} ago  ", what, "\n  ", error)
            for fingerprint, count, keys, last, _, what, error in rows
        ]
        return Group(*lines, Text(), sum_)
    table = _columns("group", "letters", "keys", "last", "first", "message", "error")
    for row in rows:
        table.add_row(*row)
    return Group(table, Text(), sum_)


def replays_picture(reports: Sequence[ReplayReport]) -> RenderableType:
    """One block for each."""
    if not reports:
        return Text("there was no replay yet", style=_FAINT)
    blocks = [
        Group(
            Text.assemble(
                (each.id, _NAME), f"  {each.status}", (f"  {each.said}" if each.said else "", _FAINT),
            ),
            Text(f"  {progress_line(each.progress)}"),
            Text(f"  {each.chosen}; begun {clock(each.begun_at)}Z by {each.who}: {each.why}", style=_FAINT),
        )
        for each in reports
    ]  # fmt: skip
    return Group(*blocks)


def progress_line(progress: Progress) -> str:
    """How far it has come, in words."""
    parts = (
        (progress.applied, "applied"), (progress.failed, "failed again"), (progress.refused, "refused"),
        (progress.behind, "behind one of these"), (progress.waiting, "on the way"), (progress.left, "to come"),
    )  # fmt: skip
    told = ", ".join(f"{count:,} {what}" for count, what in parts if count)
    return f"of {counted(progress.letters, 'dead letter')} {told or 'none was tried'}"


def letter_picture(detail: LetterDetail, now: datetime) -> RenderableType:
    """One in full."""
    letter = detail.letter
    head = Text.assemble(
        (simple(letter.type) or "unreadable", _NAME), f" for {letter.actor}/{letter.key}  {letter.message_id}  ",
        (letter.status, _BAD if letter.status == "dead" else _MOVE),
    )  # fmt: skip
    rows = Table.grid(padding=(0, 2))
    rows.add_column(style=_FAINT, no_wrap=True)
    rows.add_column(overflow="fold")
    rows.add_row("died", f"{clock(letter.dead_at)}Z, {from_now(letter.dead_at, now)}, after {_tries(letter)}")
    rows.add_row("error", _error(letter.error, letter.error_text, None))
    rows.add_row("group", letter.fingerprint)
    rows.add_row("says", content_picture(detail.content))
    place = f"{detail.source} at {detail.position}" if detail.position else detail.source
    rows.add_row("came from", f"{place}, published {clock(detail.published_at)}Z")
    rows.add_row("caused by", detail.causation_id or "nothing")
    rows.add_row("story", detail.correlation_id)
    for name, value in detail.properties.items():
        rows.add_row("header", f"{name}: {value}")
    for each in detail.attempts:
        rows.add_row(f"attempt {each.number}", f"{clock(each.at)}Z  {each.error}: {each.error_text}")
    for edit in detail.edits:
        rows.add_row("edited", f"by {edit.who} at {clock(edit.edited_at)}Z: {edit.why}; before it said")
        rows.add_row("", content_picture(edit.before))
    rows.add_row("schema", Text(detail.schema or "unknown", style=_FAINT))
    rows.add_row("shard", letter.shard)
    return Group(head, rows, *requests_picture(detail.requests))


def _table(letters: Sequence[LetterReport], now: datetime) -> Table:
    table = _columns("message", "key", "type", "died", "failed", "group", "error")
    for each in letters:
        table.add_row(
            Text(short(each.message_id)), Text(f"{each.actor}/{each.key}", style=_NAME),
            Text(simple(each.type) or "unreadable", style=_MOVE), span(now - each.dead_at), _tries(each),
            Text(each.fingerprint, style=_FAINT), _error(each.error, each.error_text),
        )  # fmt: skip
    return table


def _columns(*names: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), expand=True, header_style=_FAINT, pad_edge=False)
    for name in names[:-1]:
        table.add_column(
            name,
            overflow="fold",
            justify="right" if name in _NUMBERS else "left",
            no_wrap=name in {"message", "group", "died"},
        )
    table.add_column(names[-1], ratio=1, overflow="fold")
    return table


def _block(each: LetterReport, now: datetime) -> list[Text]:
    name = f"{each.actor}/{each.key}"
    return [
        Text.assemble((name, _NAME), f"  {simple(each.type) or 'unreadable'}  {short(each.message_id)}"),
        Text.assemble("  ", _error(each.error, each.error_text), (f"  {span(now - each.dead_at)} ago", _FAINT)),
    ]


def _tries(letter: LetterReport) -> str:
    tries = counted(letter.failures, "attempt")
    crashes = f", {letter.crashes} of a worker that died" if letter.crashes else ""
    replays = f", replayed {counted(letter.replays, 'time')}" if letter.replays else ""
    return f"{tries}{crashes}{replays}"


def _error(error: str, text: str, most: int | None = _TEXT) -> Text:
    whole = f"{simple(error)}: {text}"
    return Text(whole if most is None or len(whole) <= most else whole[: most - 1] + "…", style=_BAD)
