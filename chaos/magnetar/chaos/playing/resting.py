"""Proof that all is as before under load, and that all has come to rest without.

At rest nothing waits in the store or at the brokers, twice in a row, and unchanged.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from magnetar.chaos.playing.watching import backlogs

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.chaos.playing.stage import Stage
    from magnetar.runtime.store.views import Views

_LOOK = 0.5
_CALM_LOOK = 1.0


def calm(
    stage: Stage, is_calm: Callable[[], bool], lasting: float, within: float, check: Callable[[], object],
    is_enough: Callable[[], bool],
) -> None:  # fmt: skip
    """Wait until all has looked calm for `lasting` seconds without a break, and no longer than `within`.

    If that is not enough by then, for as long again: what lasts that long is asked, for it costs a question.
    """
    since = begin = stage.now
    while stage.now < begin + within:
        if stage.now >= since + lasting:
            if is_enough():
                return
            since = stage.now
        stage.wait(stage.now + _CALM_LOOK, check)
        if not is_calm():
            since = stage.now


def at_rest(stage: Stage, within: float, check: Callable[[], object]) -> str:
    """Wait for it; what still waits when the time is over, empty if nothing does. Raises what the store raises."""
    deadline = stage.now + within
    with closing(stage.ground.store.views()) as views:
        before: int | None = None
        while True:
            waits, commits = _waiting(stage, views)
            if not waits and commits == before:
                return ""
            before = None if waits else commits
            if stage.now >= deadline:
                return waits or "something is still committed"
            stage.wait(stage.now + _LOOK, check)


def _waiting(stage: Stage, views: Views) -> tuple[str, int]:
    """What waits, in words, and how often was committed by then."""
    loads = list(views.loads().values())
    waits = {
        "unsent": sum(load.unsent for load in loads),
        "timers": sum(load.timers for load in loads),
        "parked": sum(load.parked for load in loads),
        "effects": sum(load.effects for load in loads),
    }
    bus = backlogs(stage)
    words = [f"{count} {name}" for name, count in waits.items() if count]
    if bus is None:
        words.append("no broker says what is not acknowledged")
    elif bus.total():
        words.append(f"{bus.total()} not acknowledged")
    return ", ".join(words), sum(row.commits for row in views.shards())
