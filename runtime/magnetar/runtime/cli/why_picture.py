"""How an explanation looks: the cause, what happens next, what a person can do. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from magnetar.runtime.cli.wording import clock, counted, from_now, short, simple
from magnetar.runtime.operate.obstacle import Cause

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from rich.console import RenderableType

    from magnetar.runtime.operate.keys import EffectReport, FailureReport, WaitingReport
    from magnetar.runtime.operate.obstacle import Obstacle
    from magnetar.runtime.operate.why import Explanation

_NAME, _FAINT, _BAD, _GOOD, _MOVE = "bold", "dim", "bold red", "bold green", "cyan"
_WELL = frozenset({Cause.NOTHING, Cause.TIMER, Cause.GOING_ON, Cause.IN_FLIGHT})
_SHOWN = 5
"""So many of the last failed attempts are shown; `--json` has them all."""

_WIDE = 2_000
"""Most characters of the blocking message's content on a screen."""


def why_picture(explanation: Explanation, now: datetime) -> RenderableType:
    """The first obstacle in full, the others below it, then the message in front and who handles the key."""
    name = f"{explanation.actor}/{explanation.key}"
    cause = explanation.cause
    head = Text.assemble((name, _NAME), "  ", (cause.value, _GOOD if cause in _WELL else _BAD))
    parts: list[RenderableType] = [head]
    for number, each in enumerate(explanation.obstacles):
        if number:
            parts.append(Text.assemble("  then  ", each.cause.value, style=_FAINT))
        parts.append(Padding(_obstacle(each, now), (0, 0, 1, 2)))
    return Group(*parts, Padding(_surroundings(explanation, now), (0, 0, 0, 2)))


def _obstacle(obstacle: Obstacle, now: datetime) -> RenderableType:
    rows = _grid()
    rows.add_row("why", Text(obstacle.what))
    if obstacle.since is not None:
        rows.add_row("since", Text(f"{clock(obstacle.since)}Z, {from_now(obstacle.since, now)}"))
    at = "" if obstacle.at is None else f" at {clock(obstacle.at)}Z, {from_now(obstacle.at, now)}"
    rows.add_row("next", Text(f"{obstacle.next}{at}"))
    if obstacle.remedies:
        rows.add_row("you can", Group(*[Text(remedy, style=_MOVE) for remedy in obstacle.remedies]))
    return rows


def _surroundings(explanation: Explanation, now: datetime) -> RenderableType:
    rows = _grid()
    if explanation.blocking is not None:
        rows.add_row("in front", _message(explanation.blocking))
        behind = "nothing waits behind it" if not explanation.behind else _behind(explanation.behind)
        rows.add_row("behind", Text(behind))
    if explanation.attempts:
        rows.add_row("attempts", Group(*_attempts(explanation.attempts, now)))
    if explanation.effects:
        rows.add_row("effects", Group(*[_effect(each) for each in explanation.effects]))
    owner = f"held by {explanation.owner}" if explanation.owner else "held by nobody"
    rows.add_row("shard", Text(f"{explanation.shard}, {owner}, epoch {explanation.epoch}", style=_FAINT))
    return rows


def _behind(count: int) -> str:
    return f"{counted(count, 'message')} of the key {'waits' if count == 1 else 'wait'} behind it"


def _message(message: WaitingReport) -> RenderableType:
    kind = simple(message.type) or "unreadable"
    title = Text.assemble((kind, _MOVE), (f"  {short(message.message_id)}  from {message.source}", _FAINT))
    if message.content.problem:
        return Group(title, Text(f"cannot be read: {message.content.problem}", style=_BAD))
    return Group(title, Text(_cut(json.dumps(message.content.value, ensure_ascii=False))))


def _effect(effect: EffectReport) -> Text:
    """What is asked, under which key, with which content."""
    title = Text.assemble(
        (simple(effect.type), _MOVE), (f" of {effect.dependency}, key {effect.idempotency_key}  ", _FAINT)
    )
    if effect.content.problem:
        return title.append(f"cannot be read: {effect.content.problem}", style=_BAD)
    return title.append(_cut(json.dumps(effect.content.value, ensure_ascii=False)))


def _cut(text: str) -> str:
    return text if len(text) <= _WIDE else text[: _WIDE - 1] + "…"


def _attempts(attempts: list[FailureReport], now: datetime) -> Iterator[Text]:
    if len(attempts) > _SHOWN:
        yield Text(f"{counted(len(attempts) - _SHOWN, 'earlier one')} not shown", style=_FAINT)
    for each in attempts[-_SHOWN:]:
        yield Text.assemble((f"{each.number}", _BAD), f"  {from_now(each.at, now)}: {each.error}: {each.error_text}")


def _grid() -> Table:
    rows = Table.grid(padding=(0, 2))
    rows.add_column(style=_FAINT, no_wrap=True, min_width=8)
    rows.add_column(overflow="fold")
    return rows
