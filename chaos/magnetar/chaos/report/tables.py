"""The tables of a run: what each checker found, with its witnesses; needs, alarms, latencies, the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from magnetar.chaos.report.biography import lives
from magnetar.chaos.report.facts import sign
from magnetar.chaos.report.figures import NONE, count, counted, moment, seconds, share
from magnetar.chaos.report.markup import said, tag
from magnetar.chaos.report.standing import met
from magnetar.chaos.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from magnetar.chaos.record.keeping import Kept
    from magnetar.chaos.record.shape import Alarm, Check, Need, Record, Witness
    from magnetar.chaos.report.biography import Step

WITNESSES = 40
"""So many things that are wrong are told of, over all checkers."""
ROWS = 100
_PLAN = 20_000
_IDS = 12


def table(caption: str, heads: Sequence[str], rows: Iterable[str], kind: str = "") -> str:
    """A table that scrolls by itself where the page is narrow; `heads` that begin with `#` are of numbers."""
    head = "".join(
        tag("th", said(name.removeprefix("#")), scope="col", class_="number" if name.startswith("#") else None)
        for name in heads
    )
    inner = tag(
        "table", tag("caption", said(caption)), tag("thead", tag("tr", head)), tag("tbody", *rows), class_=kind or None
    )
    return tag("div", inner, class_="scroll", tabindex="0", role="region", aria_label=caption)


def row(first: str, *cells: str, kind: str | None = None) -> str:
    """`first` heads the row; cells that begin with `#` are numbers. All are markup."""
    rest = (tag("td", cell.removeprefix("#"), class_="number" if cell.startswith("#") else None) for cell in cells)
    return tag("tr", tag("th", first, scope="row"), *rest, class_=kind)


def checks(record: Record) -> str:
    """Every checker, those that found something first."""
    order = [Verdict.INVALID, Verdict.UNKNOWN, Verdict.VALID]
    ordered = sorted(record.checks, key=lambda check: order.index(check.verdict))
    return table("What was checked", ("checker", "#examined", "#wrong", "verdict"), map(_check, ordered[:ROWS]))


def _check(check: Check) -> str:
    others = ", ".join(
        f"{said(name, 40)} {count(number)}"
        for name, number in check.counts.items()
        if name not in {"examined", "wrong"}
    )
    name = said(check.checker, 120) + (tag("small", others) if others else "")
    examined, wrong = (check.counts.get(what) for what in ("examined", "wrong"))
    figures = (f"#{NONE}" if figure is None else f"#{count(figure)}" for figure in (examined, wrong))
    return row(name, *figures, sign(check.verdict), kind=check.verdict.value)


def witnesses(kept: Kept) -> str:
    """What is wrong, thing by thing, each with its life. Nothing when nothing is."""
    found = [(check, witness) for check in kept.record.checks for witness in check.witnesses]
    shown = found[:WITNESSES]
    stories = lives(kept, [witness for _, witness in shown])
    cards = [_witness(check, witness, story) for (check, witness), story in zip(shown, stories, strict=True)]
    if len(found) > WITNESSES:
        cards.append(tag("p", f"and {counted(len(found) - WITNESSES, 'witness', 'witnesses')} more, in record.json"))
    return "".join(cards)


def _witness(check: Check, witness: Witness, story: Sequence[Step]) -> str:
    ids = " ".join(tag("code", said(name, 80)) for name in witness.ids[:_IDS])
    more = f" and {len(witness.ids) - _IDS:,} more" if len(witness.ids) > _IDS else ""
    told = (
        tag("ol", *map(_step, story), class_="life")
        if story
        else tag("p", "The history has nothing of it.", class_="meaning")
    )
    return tag(
        "article",
        tag("h3", said(witness.key or check.checker, 160), tag("span", said(check.checker, 120), class_="checker")),
        tag("p", said(witness.text, 2000)),
        tag("p", ids, more, class_="ids") if ids else "",
        told,
        class_="card witness",
    )


def _step(step: Step) -> str:
    often = tag("b", f" \N{MULTIPLICATION SIGN}{step.times}") if step.times > 1 else ""
    when, kind = tag("time", moment(step.at)), tag("span", step.kind, class_="kind")
    return tag("li", when, kind, tag("span", said(step.what), often), class_=step.kind.replace(" ", "-"))


def needs(record: Record) -> str:
    """What must have happened for the run to show anything."""
    heads = ("must have happened", "#required", "#seen", "verdict")
    return table("Did enough happen?", heads, map(_need, record.needs[:ROWS])) if record.needs else ""


def _need(need: Need) -> str:
    verdict = Verdict.VALID if met(need) else Verdict.UNKNOWN
    word = "enough" if met(need) else "too little"
    return row(
        said(need.text), f"#{count(need.required)}", f"#{count(need.seen)}", sign(verdict, word), kind=verdict.value
    )


def situations(kept: Kept) -> str:
    """What the run was in, and which faults the history counted."""
    found = {**kept.history.effective, **kept.history.met}
    rows = [
        row(said(name, 120), f"#{count(number)}")
        for name, number in sorted(found.items(), key=lambda item: (-item[1], item[0]))
    ]
    return table("What was met on the way", ("situation", "#times"), rows[:ROWS]) if rows else ""


def alarms(record: Record) -> str:
    """Who was woken, and who ought to be."""
    heads = ("alarm", "expected", "#seen at", "")
    return table("Alarms", heads, map(_alarm, record.alarms[:ROWS])) if record.alarms else ""


def _alarm(alarm: Alarm) -> str:
    right = alarm.expected == (alarm.seen_at is not None)
    word = "as expected" if right else "missed" if alarm.expected else "not expected"
    verdict = Verdict.VALID if right else Verdict.INVALID
    seen = f"#{NONE}" if alarm.seen_at is None else f"#{moment(alarm.seen_at)}"
    return row(said(alarm.name, 120), "yes" if alarm.expected else "no", seen, sign(verdict, word))


def latencies(record: Record) -> str:
    """By phase, beside how much waited for a processor then."""
    pressure = {each.phase: each.share for each in record.pressure}
    rows = [
        row(
            each.phase,
            f"#{count(each.count)}",
            *(f"#{seconds(value)}" for value in (each.p50, each.p95, each.p99, each.max)),
            f"#{share(pressure[each.phase])}" if each.phase in pressure else f"#{NONE}",
        )
        for each in record.measures.latencies
    ]
    heads = ("phase", "#succeeded", "#half", "#95 %", "#99 %", "#slowest", "#waited for CPU")
    return table("Seconds from the intended start, by phase", heads, rows) if rows else ""


def plan(record: Record) -> str:
    """The specification as it was played."""
    text = msgspec.json.format(msgspec.json.encode(record.schedule, enc_hook=str), indent=2).decode()
    return tag("details", tag("summary", "The schedule as it was played"), tag("pre", said(text, _PLAN), tabindex="0"))
