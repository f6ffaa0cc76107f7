"""How a key and its story look. Pure: reports, a moment and a width in, something for a terminal out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from magnetar.runtime.cli.screen import NARROW
from magnetar.runtime.cli.wording import clock, counted, from_now, short, simple, span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from rich.console import RenderableType

    from magnetar.runtime.operate.asking import RequestReport
    from magnetar.runtime.operate.decoding import Content
    from magnetar.runtime.operate.keys import (
        EffectReport,
        Happening,
        KeyReport,
        ParkedReport,
        ShardReport,
        Timeline,
        TimerReport,
        UnsentReport,
        WaitingReport,
    )

_NAME, _FAINT, _BAD, _MOVE = "bold", "dim", "bold red", "cyan"
_SHORT = 60
_LONG = 4_000
"""Most characters of one field's value on a screen; `--json` has it all."""


def key_picture(report: KeyReport, now: datetime) -> RenderableType:
    """A key as it is now."""
    name = f"{report.actor}/{report.key}"
    if report.state is None:
        seen = (
            "  no message of it was applied yet"
            if report.seen
            else " was never seen: no message of it was ever applied"
        )
        head = Text.assemble((name, _NAME), seen)
    else:
        head = Text.assemble(
            (name, _NAME), f"  version {report.version}", (f"  changed {_when(report.changed_at, now)}", _FAINT)
        )
    rows = Table.grid(padding=(0, 2))
    rows.add_column(style=_FAINT, no_wrap=True)
    rows.add_column(overflow="fold")
    if report.parked is not None:
        rows.add_row("parked", _parked(report.parked, now))
    if report.state is not None:
        rows.add_row("state", content_picture(report.state))
        rows.add_row("timers", _lines(_timer(timer, now) for timer in report.timers))
        rows.add_row("unsent", _lines(_unsent(row) for row in report.unsent))
    if report.effects:
        rows.add_row("effects", _lines(line for row in report.effects for line in _effect(row, now)))
    rows.add_row("shard", _shard(report.shard))
    if report.schema:
        rows.add_row("schema", Text(report.schema, style=_FAINT))
    return Group(head, rows)


def _parked(parked: ParkedReport, now: datetime) -> RenderableType:
    """What it waits for, the error, and what waits, head first."""
    first = f"its first message has failed {counted(parked.failures, 'time')}"
    if parked.crashes:
        first = f"a worker ended {counted(parked.crashes, 'time')} with its first message in hand"
    what = {
        "retry": first if parked.failures or parked.crashes else "what waits for it is being applied",
        "held": "a message of it is a dead letter: it waits for a person",
        "unread": "no code here can read its first message: it waits for newer code",
        "crowded": "its first message asks for an effect of a dependency whose queue is full",
        "paused": "a person has paused it",
        "stopped": f"its first message is of a type that a person has paused: {simple(parked.held_by)}",
    }.get(parked.reason, parked.reason)
    then = "" if parked.due is None else f", and is tried again at {_when(parked.due, now)}"
    lines = [
        Text.assemble((what, _BAD), then if parked.failures or parked.crashes else ""),
        Text(f"since {_when(parked.since, now)}"),
    ]
    if parked.error:
        lines.append(Text(f"{parked.error}: {parked.error_text}", style=_BAD))
    waiting = [
        Text.assemble(
            (simple(row.type) or "unreadable", _MOVE), (f"  {short(row.message_id)}", _FAINT), f"  {_brief(row)}"
        )
        for row in parked.messages
    ]
    more = parked.waiting - len(waiting)
    rest = [Text(f"and {more:,} more", style=_FAINT)] if more > 0 else []
    return Group(*lines, Text(f"{counted(parked.waiting, 'message')} of it {_wait(parked.waiting)}"), *waiting, *rest)


def _wait(count: int) -> str:
    return "waits" if count == 1 else "wait"


def _brief(row: WaitingReport) -> str:
    text = row.content.problem or json.dumps(row.content.value, ensure_ascii=False)
    return text if len(text) <= _SHORT else text[: _SHORT - 1] + "…"


def timeline_picture(timeline: Timeline, width: int) -> RenderableType:
    """A key's story: a table where there is room for one, else one block after the other."""
    name = Text.assemble((f"{timeline.actor}/{timeline.key}", _NAME), f"  {_extent(timeline)}")
    if not timeline.messages:
        return name
    body = _table(timeline.messages) if width >= NARROW else _blocks(timeline.messages)
    return Group(name, *_notes(timeline), Text(), body, *requests_picture(timeline.requests))


def _extent(timeline: Timeline) -> str:
    if not timeline.messages:
        return "was never seen: no message of it has come"
    first, last = timeline.messages[0].handled_at, timeline.messages[-1].handled_at
    return f"{counted(len(timeline.messages), 'message')} in {span(last - first)}; times are UTC"


def _notes(timeline: Timeline) -> Iterator[RenderableType]:
    if timeline.earlier:
        yield Text(f"{counted(timeline.earlier, 'earlier message')} not shown: ask for more with --last", style=_FAINT)
    if timeline.incomplete:
        yield Text("This key has had more messages than are read at once: the latest are not here.", style=_BAD)


def _table(messages: Iterable[Happening]) -> Table:
    table = Table(box=None, padding=(0, 2, 1, 0), expand=True, header_style=_FAINT, pad_edge=False)
    table.add_column("version", justify="right", no_wrap=True)
    table.add_column("handled at", no_wrap=True)
    table.add_column("what came", ratio=5, overflow="fold")
    table.add_column("what it did", ratio=4, overflow="fold")
    for told in messages:
        moment = Group(Text(clock(told.handled_at)), Text(_delay(told), style=_FAINT))
        table.add_row(
            _version(told), moment, Group(_title(told), content_picture(told.content), _origin(told)), _deeds(told)
        )
    return table


def _blocks(messages: Iterable[Happening]) -> Group:
    return Group(*[part for told in messages for part in (*_block(told), Text())])


def _block(told: Happening) -> Iterator[RenderableType]:
    yield Text.assemble(_version(told), "  ", clock(told.handled_at), (f"  {_delay(told)}", _FAINT))
    yield Padding(Group(_title(told), content_picture(told.content), _origin(told), _deeds(told)), (0, 0, 0, 3))


def _version(told: Happening) -> Text:
    return Text(f"v{told.version}" if told.version and told.disposition == "applied" else "-", style=_NAME)


def _title(told: Happening) -> Text:
    disposition = () if told.disposition == "applied" else ((f"  {told.disposition}", _BAD),)
    return Text.assemble((simple(told.type), _NAME), *disposition, (f"  {short(told.message_id)}", _FAINT))


def _origin(told: Happening) -> Text:
    place = f"{told.source} at {told.position}" if told.position else told.source
    cause = f", caused by {short(told.causation_id)}" if told.causation_id else ""
    return Text(f"from {place}{cause}", style=_FAINT)


def _delay(told: Happening) -> str:
    word = {"timer": "after it was due", "effect": "after it was told"}.get(told.source, "after publishing")
    return f"{span(told.handled_at - told.published_at)} {word}"


def _deeds(told: Happening) -> RenderableType:
    if told.disposition != "applied" and not told.sent:
        return _undone(told)
    sent = [_sent(simple(row.type), f"{row.to}/{row.key}", row.message_id, unsent=row.unsent) for row in told.sent]
    armed = [
        Text.assemble("arms ", (row.name, _MOVE), f" for {clock(row.due)}, {span(row.due - told.handled_at)} later")
        for row in told.armed
    ]
    gone = [Text.assemble("cancels ", (name, _MOVE)) for name in told.cancelled]
    asked = [
        Text.assemble(
            f"asks {row.dependency} for ", (simple(row.type), _MOVE), (f"  key {row.idempotency_key}", _FAINT)
        )
        for row in told.asked
    ]
    return _lines([*sent, *gone, *armed, *asked], nothing="sends nothing, arms nothing")


def _undone(told: Happening) -> RenderableType:
    """Of a message that was not applied: its attempts."""
    nothing = "waits behind what came before it" if told.disposition == "parked" else "did nothing"
    failures = [
        Text.assemble((f"attempt {each.number} failed", _BAD), f" at {clock(each.at)}: {each.error}: {each.error_text}")
        for each in told.failures
    ]
    crashes = [
        Text.assemble(
            (f"crash {each.number}", _BAD), f" found out at {clock(each.at)}: {each.owner} ended with it in hand"
        )
        for each in told.crashes
    ]
    return _lines([*failures, *crashes], nothing=nothing)


def _sent(type_: str, to: str, message_id: str, *, unsent: bool) -> Text:
    waiting = ("  unsent", _BAD) if unsent else ("", "")
    return Text.assemble("sends ", (type_, _MOVE), f" to {to}", (f"  {short(message_id)}", _FAINT), waiting)


def _timer(timer: TimerReport, now: datetime) -> Text:
    content = "" if timer.content.value in ({}, None) else f"  {json.dumps(timer.content.value, ensure_ascii=False)}"
    return Text.assemble((timer.name, _MOVE), f"  due {_when(timer.due, now)}", (content, _FAINT))


def _effect(row: EffectReport, now: datetime) -> Iterator[Text]:
    """What is asked, how that stands, and the last error."""
    when = "counts as unknown at" if row.state == "open" else "asked again at" if row.attempts else "due"
    stands = {"open": "is under way", "unknown": "may have been done", "asked": "is still to be asked"}
    yield Text.assemble(
        (simple(row.type), _MOVE), f" of {row.dependency} ",
        (stands.get(row.state, row.state), _BAD if row.state == "unknown" else ""),
        f", {counted(row.attempts, 'attempt')}, {when} {_when(row.due, now)}",
        (f"  key {row.idempotency_key}", _FAINT),
    )  # fmt: skip
    if row.error:
        yield Text(f"{row.error}: {row.error_text}", style=_BAD)


def _unsent(row: UnsentReport) -> Text:
    return Text.assemble(
        (simple(row.type), _MOVE),
        f" to {row.to}, key {row.key}",
        (f"  {short(row.message_id)}, number {row.number} of its lane", _FAINT),
    )


def _shard(shard: ShardReport) -> Text:
    owner = f"held by {shard.owner}" if shard.owner else "held by nobody now"
    return Text(f"{shard.name}, {owner}, epoch {shard.epoch}, {counted(shard.commits, 'commit')}")


def _when(moment: datetime | None, now: datetime) -> str:
    return "" if moment is None else f"{clock(moment)}Z, {from_now(moment, now)}"


def _lines(lines: Iterable[Text], nothing: str = "none") -> RenderableType:
    return Group(*(list(lines) or [Text(nothing, style=_FAINT)]))


def requests_picture(requests: Iterable[RequestReport]) -> Iterator[RenderableType]:
    """What people asked of the key, and what became of it."""
    for each in requests:
        yield Text.assemble(
            (f"{clock(each.asked_at)}  ", _FAINT), (each.who, _NAME), f" asked to {each.what}: {each.why}; ",
            (f"{each.status}: {each.answer}" if each.answer else "nobody has answered yet", _MOVE),
        )  # fmt: skip


def content_picture(content: Content) -> RenderableType:
    """A record as one line for each field; nested values as JSON, on several lines where one would be long."""
    if content.problem:
        return Text(f"cannot be read: {content.problem}", style=_BAD)
    if not isinstance(content.value, dict):
        return Text(_value(content.value))
    fields = cast("dict[str, Any]", content.value)
    rows = Table.grid(padding=(0, 2))
    rows.add_column(style=_FAINT, no_wrap=True)
    rows.add_column(overflow="fold")
    for name, value in fields.items():
        rows.add_row(name, Text(_value(value)))
    return rows if fields else Text("no fields", style=_FAINT)


def _value(value: Any) -> str:  # noqa: ANN401 - JSON
    text = json.dumps(value, ensure_ascii=False)
    if len(text) > _SHORT and isinstance(value, dict | list):
        text = json.dumps(value, ensure_ascii=False, indent=2)
    return text if len(text) <= _LONG else f"{text[:_LONG]}… and {len(text) - _LONG:,} characters more"
