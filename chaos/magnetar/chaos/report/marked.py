"""The last run of every scenario as a table of Markdown, for a README or the summary of a job."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from magnetar.chaos.report.facts import SIGNS, measured
from magnetar.chaos.report.figures import chosen, seconds
from magnetar.chaos.report.lanes import natural
from magnetar.chaos.report.suite import lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from magnetar.chaos.record.shape import BoundName, Record
    from magnetar.chaos.report.suite import Played

_HEAD = "| scenario | verdict | longest gap | fail-over | recovery |\n|---|---|---|---|---|\n"
_TIMES: tuple[BoundName, ...] = ("gap", "failover", "recovery")
_SPECIAL = re.compile(r"[\\|`*_\[\]<>\n]")


def marked(runs: Sequence[Played]) -> str:
    """By id. A link is the run's address from the folder of runs; a time stands beside its bound."""
    found = sorted((line.last for line in lines(runs)), key=lambda run: natural(run.record.scenario.id))
    return _HEAD + "".join(map(_row, found))


def _row(run: Played) -> str:
    record = run.record
    name = f"[{_plain(record.scenario.id)}]({run.address}) {_plain(record.scenario.title)}"
    verdict = f"{SIGNS[record.verdict]} {record.verdict.value}"
    return f"| {' | '.join([name, verdict, *(_time(record, which) for which in _TIMES)])} |\n"


def _time(record: Record, name: BoundName) -> str:
    bound = next((bound for bound in record.bounds if bound.name == name), None)
    seen = seconds(measured(record, name))
    return seen if bound is None else f"{seen} of {chosen(bound.allowed)}"


def _plain(text: str) -> str:
    return _SPECIAL.sub(lambda found: " " if found[0] == "\n" else f"\\{found[0]}", text)
