"""The cards of a run: how long things took against their bounds, what harm was done, and each fault with its proof."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.chaos.report.clock import hue
from magnetar.chaos.report.figures import NONE, chosen, count, counted, moment, rate, seconds, share
from magnetar.chaos.report.markup import said, tag
from magnetar.chaos.report.standing import harms, proven, standing
from magnetar.chaos.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from magnetar.chaos.record.shape import Blow, Bound, BoundName, Record
    from magnetar.chaos.report.standing import Harm

SIGNS = {Verdict.VALID: "✓", Verdict.INVALID: "✗", Verdict.UNKNOWN: "?"}
MOST = 40
"""Faults of one run that have a card."""
_EVIDENCE = 1200
_NAMES: dict[BoundName, tuple[str, str]] = {
    "gap": ("Longest gap", "without a success, of the group that waited longest"),
    "failover": (
        "Fail-over",
        "from the fault in force until all groups of keys that it struck were served again, while it lasted",
    ),
    "recovery": ("Recovery", "from healed until all went as before"),
    "drain": ("Drain", "from there until no more was unacknowledged than before"),
}


def sign(verdict: Verdict, word: str | None = None) -> str:
    """A mark with its word: never the colour alone."""
    mark = tag("span", SIGNS[verdict], class_="mark", aria_hidden="true")
    return tag("span", mark, said(verdict.value if word is None else word), class_=f"sign {verdict.value}")


def times(record: Record) -> str:
    """A card for each of gap, fail-over, recovery and drain."""
    bounds = {bound.name: bound for bound in record.bounds}
    return tag("div", *(_time(record, name, bounds.get(name)) for name in _NAMES), class_="cards times")


def measured(record: Record, name: BoundName) -> float | None:
    """What it came to, whether or not it has a bound."""
    measures = record.measures
    if name == "gap":
        return max((gap.seconds for gap in measures.gaps), default=None)
    return {"failover": measures.failover, "recovery": measures.recovery, "drain": measures.drain}[name]


def _time(record: Record, name: BoundName, bound: Bound | None) -> str:
    title, meaning = _NAMES[name]
    seen = measured(record, name) if bound is None else bound.seen
    verdict = None if bound is None else standing(bound, starved=record.starved)
    kind = "none" if verdict is None else verdict.value
    allowed = "no bound" if bound is None else f"of {chosen(bound.allowed)} allowed"
    return tag(
        "article",
        tag("h3", title, sign(verdict) if verdict is not None else ""),
        tag("p", tag("b", seconds(seen)), f" {allowed}", class_="figure"),
        _bar(seen, bound, kind),
        tag("p", meaning + (_of_group(record) if name == "gap" else "") + ".", class_="meaning"),
        tag("p", tag("span", "bound: "), said(bound.why), class_="why") if bound is not None else "",
        class_=f"card {kind}",
    )


def _of_group(record: Record) -> str:
    gaps = sorted(record.measures.gaps, key=lambda gap: -gap.seconds)
    return f": {said(gaps[0].group, 60)}, from {moment(gaps[0].begin)}" if gaps else ""


def _bar(seen: float | None, bound: Bound | None, kind: str) -> str:
    """How much of the bound was used; the stroke is the bound."""
    if bound is None or seen is None or bound.allowed <= 0:
        return tag("div", class_="bar empty")
    reach = max(seen, bound.allowed) * 1.0
    used, limit = (min(100.0, max(0.0, part / reach * 100)) for part in (seen, bound.allowed))
    return tag(
        "div",
        tag("i", style=f"width:{used:.1f}%"),
        tag("u", style=f"left:{limit:.1f}%"),
        class_=f"bar {kind}",
        role="img",
        aria_label=f"{seconds(seen)} of {chosen(bound.allowed)}",
    )


def damage(record: Record) -> str:
    """A card for each harm that an order could come to."""
    return tag("div", *map(_harm, harms(record)), class_="cards harms")


def _harm(harm: Harm) -> str:
    figure = count(harm.wrong) if harm.checkers else NONE
    looked = f"of {count(harm.examined)} looked at" if harm.checkers else "not looked for"
    return tag(
        "article",
        tag("h3", harm.name.capitalize(), sign(harm.verdict, "")),
        tag("p", tag("b", figure), f" {looked}", class_="figure"),
        class_=f"card {harm.verdict.value}",
        title=", ".join(harm.checkers) or None,
    )


def load(record: Record) -> str:
    """What was asked of it, in a sentence."""
    measures = record.measures
    whole = measures.ok + measures.unknown + measures.failed
    part = f" ({share(measures.ok / whole)})" if whole else ""
    return (
        f"{rate(measures.offered)} offered: {counted(measures.ok, 'operation')} succeeded{part}, of "
        f"{measures.unknown:,} nobody knows, {measures.failed:,} failed."
    )


def faults(record: Record) -> str:
    """A card for each blow, with the proof that it took effect and the proof that it healed."""
    cards = [_fault(record, blow) for blow in record.blows[:MOST]]
    if len(record.blows) > MOST:
        cards.append(tag("p", f"and {counted(len(record.blows) - MOST, 'fault')} more, in record.json"))
    return tag("div", *cards, class_="cards blows") if cards else tag("p", "No fault was struck.")


def _fault(record: Record, blow: Blow) -> str:
    ok = proven(blow)
    return tag(
        "article",
        tag(
            "h3",
            said(blow.fault, 120),
            sign(Verdict.VALID if ok else Verdict.UNKNOWN, "proven" if ok else "not proven"),
        ),
        tag("p", said(blow.target, 300), class_="target"),
        tag("ul", *(tag("li", said(word)) for word in _budget(blow)), class_="chips"),
        tag("dl", *_proofs(blow), class_="proofs"),
        class_=f"card blow hue-{hue(record, blow)}",
    )


def _budget(blow: Blow) -> Iterator[str]:
    yield "inside the fault budget" if blow.inside_budget else "outside the fault budget: only safety counts"
    if blow.required:
        yield "something must succeed meanwhile"
    if blow.stays:
        yield "stays until all is at rest: all recovers without it"


def _proofs(blow: Blow) -> Iterator[str]:
    after = (
        "never seen to take effect"
        if blow.effective is None
        else f"in force {seconds(blow.effective - blow.inject)} after"
    )
    yield tag("dt", f"Struck at {moment(blow.inject)}, {after}")
    yield tag("dd", tag("code", said(blow.evidence, _EVIDENCE) or "nothing was seen"))
    if blow.heal is None:
        yield tag("dt", "Never healed")
    elif blow.healed is None:
        yield tag("dt", f"Healing begun at {moment(blow.heal)}, never seen to be over")
    else:
        yield tag("dt", f"Healed from {moment(blow.heal)}, seen {seconds(blow.healed - blow.heal)} after")
    yield tag("dd", tag("code", said(blow.healed_evidence, _EVIDENCE) or "nothing was seen"))
