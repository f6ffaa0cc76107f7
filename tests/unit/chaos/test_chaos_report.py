"""The report of a chaos run: whatever the record, a page that is whole, small and harmless; and what it says is so."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from itertools import pairwise
from math import inf
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from magnetar.chaos.history import Answered, Committed, History, Intended, LaneRow
from magnetar.chaos.record.keeping import Kept
from magnetar.chaos.record.shape import Point, Record, Sample, Tenure, Witness
from magnetar.chaos.report.biography import MOST, lives
from magnetar.chaos.report.clock import clock_of
from magnetar.chaos.report.junit import junit
from magnetar.chaos.report.latency import MARKS, SLOW, every, quantile, succeeded, thinned, took
from magnetar.chaos.report.overview import overview
from magnetar.chaos.report.page import page
from magnetar.chaos.report.standing import facets, harms
from magnetar.chaos.report.strips import SHOWN, served, waited
from magnetar.chaos.report.suite import Played
from magnetar.chaos.report.summary import Summary, as_json, summary
from magnetar.chaos.verdict import Verdict
from magnetar.runtime.bus.port import Position
from magnetar.runtime.identity import derive, to_text
from magnetar.runtime.instant import SECOND
from tests.unit.chaos.pages import body, words
from tests.unit.chaos.showing import BEGAN, Play
from tests.unit.chaos.test_chaos_record import TEXTS, history, structs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from magnetar.chaos.record.shape import Outcome

LIMIT = 1_500_000
"""Bytes of one page."""
HOSTILE = '"><script>alert(1)</script><!--\x00\x1b\u202e\ud800 &amp;'


KEPT = st.builds(
    Kept,
    structs(Record),
    st.lists(structs(Point), max_size=30),
    st.lists(structs(Sample), max_size=20),
    st.lists(structs(Tenure), max_size=20),
    st.lists(TEXTS, max_size=3).map(history),
)


# whatever the record


@settings(max_examples=60, deadline=None)
@given(KEPT)
def test_any_record_becomes_a_whole_page(kept: Kept) -> None:
    """Well-formed, with a title and words for each drawing that stands for itself."""
    found = body(page(kept))
    for drawing in found.iter("svg"):
        assert drawing.attrib.get("aria-hidden") == "true" or drawing.find("title") is not None
    assert kept.record.verdict.value in words(found)


@settings(max_examples=40, deadline=None)
@given(st.lists(structs(Record), max_size=4), st.lists(TEXTS, max_size=2))
def test_any_runs_become_a_page_of_all_and_junit(records: list[Record], damaged: list[str]) -> None:
    """The counts of a suite are those of its cases; what is not valid is never green."""
    body(overview([Played(f"{number}/report.html", record) for number, record in enumerate(records)], damaged))
    suites = ET.fromstring(junit(records).encode()).findall("testsuite")
    assert len(suites) == len(records)
    for suite, record in zip(suites, records, strict=True):
        cases = suite.findall("testcase")
        assert int(suite.attrib["tests"]) == len(cases)
        assert int(suite.attrib["failures"]) == len(suite.findall("testcase/failure"))
        assert int(suite.attrib["errors"]) == len(suite.findall("testcase/error"))
        bad = {Verdict.VALID: None, Verdict.INVALID: "failure", Verdict.UNKNOWN: "error"}[record.verdict]
        assert [element.tag for element in cases[0]] == ([bad] if bad else [])


@settings(max_examples=40, deadline=None)
@given(structs(Record))
def test_the_summary_reads_back(record: Record) -> None:
    """It says of the run what the record says."""
    found = msgspec.json.decode(as_json(summary(record)), type=Summary)
    assert (found.id, found.verdict, found.ok) == (record.id, record.verdict, record.measures.ok)
    assert found == summary(record)


def test_what_comes_from_outside_is_text_and_nothing_else() -> None:
    """A key that is markup, turns text around or cannot be encoded is shown, and does nothing."""
    kept = Play(harm=True, offered=20).kept()
    record = _spoiled(kept.record)
    points = [msgspec.structs.replace(point, key=HOSTILE, group=HOSTILE, op=HOSTILE) for point in kept.points]
    samples = [msgspec.structs.replace(sample, name=sample.name + HOSTILE) for sample in kept.samples]
    owners = [msgspec.structs.replace(tenure, what=tenure.what + HOSTILE, owner=HOSTILE) for tenure in kept.owners]
    spoiled = Kept(record, points, samples, owners, kept.history)
    for text in (page(spoiled), overview([Played("x", record)], [HOSTILE]), junit([record])):
        text.encode()
        assert "<script" not in text
        assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", text)
    assert '"><script>alert(1)' in words(body(page(spoiled)))


def _spoiled(record: Record) -> Record:
    change = msgspec.structs.replace
    return change(
        record,
        id=HOSTILE,
        commit=HOSTILE,
        profile=HOSTILE,
        reasons=(HOSTILE,),
        scenario=change(record.scenario, id=HOSTILE, title=HOSTILE, text=HOSTILE),
        schedule={HOSTILE.replace("\ud800", ""): HOSTILE.replace("\ud800", "")},
        blows=tuple(change(blow, fault=HOSTILE, target=HOSTILE, evidence=HOSTILE) for blow in record.blows),
        bounds=tuple(change(bound, why=HOSTILE) for bound in record.bounds),
        checks=tuple(
            change(check, checker=HOSTILE, witnesses=(Witness(HOSTILE, HOSTILE, (HOSTILE,)),))
            for check in record.checks
        ),
        needs=tuple(change(need, text=HOSTILE) for need in record.needs),
        alarms=tuple(change(alarm, name=HOSTILE) for alarm in record.alarms),
    )


def test_a_run_of_any_length_is_a_small_page() -> None:
    """Long texts, many faults, groups, lanes, numbers, witnesses, and thirty thousand failed operations."""
    kept = Play(harm=True).kept()
    long, change = "x" * 50_000, msgspec.structs.replace
    record = change(
        kept.record,
        reasons=(long,) * 500,
        blows=tuple(
            change(kept.record.blows[0], evidence=long, target=f"b-{n}", inject=60.0 + n / 99) for n in range(3000)
        ),
        checks=tuple(
            change(check, witnesses=(Witness(long, long, (long,) * 99),) * 9) for check in kept.record.checks * 50
        ),
        needs=kept.record.needs * 500,
        schedule={"long": long * 9},
    )
    groups = [f"{long}{number}" for number in range(99)]
    points = [
        Point(30 + n % 9000 / 100, None if n % 3 else 31 + n % 9973 / 90, "o", long, groups[n % 99], "failed", "fault")
        for n in range(30_000)
    ]
    samples = [Sample(30 + n / 600, f"backlog/{long[: n % 97]}", float(n % 89)) for n in range(30_000)]
    owners = [Tenure(f"shard {groups[n % 99]}", groups[n % 7], 30 + n / 100, 30.5 + n / 100) for n in range(5_000)]
    text = page(Kept(record, points, samples, owners, kept.history))
    body(text)
    assert len(text.encode()) < LIMIT


# what is drawn


def _point(at: int, after: int | None, outcome: Outcome) -> Point:
    """Times in hundredths of a second."""
    done = None if after is None else (at + after) / 100
    return Point(at / 100, done, "place", "k", "g", outcome, "fault")


OUTCOMES: tuple[Outcome, ...] = ("ok", "unknown", "failed")
POINTS = st.lists(
    st.builds(_point, st.integers(0, 4000), st.none() | st.integers(0, 900), st.sampled_from(OUTCOMES)), max_size=40
)


def test_thinning_leaves_out_no_failed_unknown_or_slow_one() -> None:
    """And says how many of the others it leaves out; the marks stay few."""
    kept = Play(offered=400).kept()
    chosen = thinned(kept.points)
    slow = quantile(succeeded(kept.points), SLOW)
    vital = [point for point in kept.points if point.outcome != "ok" or (took(point) or inf) >= slow]
    assert set(map(id, vital)) <= set(map(id, chosen.kept))
    assert len(chosen.others) + len(chosen.kept) <= MARKS + 1
    assert f"one in {chosen.stride} of the others" in chosen.note
    assert chosen.stride > 1


def test_every_operation_of_a_short_run_is_drawn() -> None:
    """A mark each, at its outcome's."""
    points = [Point(1.0 + n, 1.5 + n, "place", "k", "g", "ok", "fault") for n in range(9)]
    points += [
        Point(3.0, None, "place", "k", "g", "unknown", "fault"),
        Point(4.0, 4.1, "place", "k", "g", "failed", "fault"),
    ]
    record = Play().kept().record
    plot = every(points, clock_of(Kept(record, points, [], [], history([]))))
    drawn = {kind: strokes.count("M") for kind, strokes in re.findall(r'class="(\w+) \w+" d="([^"]*)"', plot.marks)}
    assert drawn == {"dot": 9, "bar": 1, "square": 1}


@given(POINTS)
def test_a_group_waits_from_what_is_asked_to_the_next_success(points: list[Point]) -> None:
    """As who looks at each hundredth of a second sees it."""
    end = 60.0
    found = list(waited(points, end))
    assert all(finish - begin >= SHOWN for begin, finish in found)
    done = sorted({point.done for point in points if point.outcome == "ok" and point.done is not None})
    for number in range(0, 5500, 7):
        at = number / 100 + 0.005
        inside = any(begin < at < finish for begin, finish in found)
        assert inside == _waits(points, done, at, end)


def _waits(points: Sequence[Point], done: Sequence[float], at: float, end: float) -> bool:
    """Between two successes, something was asked for before now whose answer, if any, came after the first of them."""
    before = max((success for success in done if success < at), default=-inf)
    after = min((success for success in done if success > at), default=None)
    open_ = [point for point in points if (point.at >= before if point.done is None else point.done > before)]
    if after is None:
        latest = max((point.at if point.done is None else point.done for point in points), default=end)
        last = max(end, latest)
    else:
        last = after
    asked = min((point.at for point in open_), default=inf)
    begin = max(before, asked)
    return begin < at < last and last - begin >= SHOWN


@given(POINTS)
def test_what_is_served_lies_between_successes(points: list[Point]) -> None:
    """It begins and ends with one, and the stretches follow one another."""
    done = {point.done for point in points if point.outcome == "ok"}
    stretches = list(served(points))
    assert {edge for stretch in stretches for edge in stretch} <= done
    assert all(begin <= end for begin, end in stretches)
    assert all(after[0] - before[1] > 1 for before, after in pairwise(stretches))


def test_what_is_served_ends_where_successes_stop() -> None:
    """And begins again with the next one, however long after."""
    points = [_point(at, 10, "ok") for at in (100, 110, 120, 130, 900, 910)] + [_point(500, 10, "failed")]
    assert list(served(points)) == [(1.1, 1.4), (9.1, 9.2)]
    assert list(served([])) == []


# what is told


@pytest.mark.parametrize(
    ("play", "expected"),
    [
        (Play(offered=20), ("valid", "valid", "valid")),
        (Play(offered=20, harm=True), ("invalid", "valid", "valid")),
        (Play(offered=20, slow=4.5), ("valid", "invalid", "valid")),
        (Play(offered=20, starved=True), ("valid", "unknown", "unknown")),
        (Play(offered=20, starved=True, slow=4.5), ("valid", "unknown", "unknown")),
        (Play(offered=20, vacuous=True), ("valid", "unknown", "valid")),
    ],
    ids=["valid", "harm", "late", "starved", "starved and late", "vacuous"],
)
def test_safety_liveness_and_recovery_stand_for_themselves(play: Play, expected: tuple[str, ...]) -> None:
    """What is unsafe may be fast; a machine without time shows nothing of time; what was not proven is not green."""
    kept = play.kept()
    assert tuple(facet.verdict.value for facet in facets(kept.record)) == expected
    told = words(body(page(kept)))
    for facet in facets(kept.record):
        assert facet.why in told
    for reason in kept.record.reasons:
        assert reason in told


def test_no_bound_and_no_checker_show_nothing() -> None:
    """Nothing that was not looked at is called valid."""
    kept = Play(offered=5).kept().record
    measures = msgspec.structs.replace(kept.measures, drain=None)
    record = msgspec.structs.replace(kept, bounds=(), checks=(), needs=(), blows=(), measures=measures)
    assert [facet.verdict for facet in facets(record)] == [Verdict.UNKNOWN] * 3
    assert all(harm.verdict is Verdict.UNKNOWN and not harm.checkers for harm in harms(record))
    assert "not looked for" in page(Kept(record, [], [], [], history([])))


def test_what_has_no_bound_is_valid_by_what_happened() -> None:
    """Nobody says how long a gap may be beyond what a cluster bears, but all that was needed was there."""
    record = msgspec.structs.replace(Play(offered=20).kept().record, bounds=())
    assert [facet.verdict for facet in facets(record)] == [Verdict.VALID] * 3
    needs = tuple(msgspec.structs.replace(need, seen=0) for need in record.needs)
    assert facets(msgspec.structs.replace(record, needs=needs))[1].verdict is Verdict.UNKNOWN


def test_a_fault_that_was_not_proven_shows_nothing() -> None:
    """Neither one that was never in force nor one that was never over, whatever else went well."""
    record = msgspec.structs.replace(Play(offered=20).kept().record, needs=())
    assert facets(record)[1].verdict is Verdict.VALID
    for lacking in ({"effective": None}, {"healed": None}):
        blows = (*record.blows[1:], msgspec.structs.replace(record.blows[0], **lacking))
        assert facets(msgspec.structs.replace(record, blows=blows))[1].verdict is Verdict.UNKNOWN


def test_the_page_says_what_people_ask_first() -> None:
    """The fault with its proof, how long against the bound and why, harm, what must have happened, and the alarms."""
    told = words(body(page(Play(offered=20, harm=True).kept())))
    for text in (
        *(
            "Kill",
            "broker-1 (the broker of orders/o-17)",
            "broker-1: processes 162, 171 are gone",
            "in force 300 ms after",
        ),
        *("4.21 s of 15 s allowed", "session 8 s + ownership 2 s", "seed 1", "4f1c0d2e9b7a", "4.0.8", "BacklogGrows"),
        *("captured 4,900 more", "operations succeed while the fault is in force 50 1,204", "Something came to harm."),
    ):
        assert text in told


def test_a_life_is_told_in_order_with_the_blows_that_fell() -> None:
    """From whoever saw the message; the same again right after is told once."""
    kept = Play(harm=True, offered=5).kept()
    (story,) = lives(kept, [Witness("orders/o-17", "lost", (Play().victim,))])
    assert [step.kind for step in story] == ["meant", "confirmed", "fault", "died", "confirmed", "committed", "told"]
    assert [step.times for step in story][-1] == 2
    assert [step.at for step in story] == sorted(step.at for step in story)
    assert "outbox as number 14 for payments" in story[5].what


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 90)), max_size=60))
def test_a_life_holds_what_is_of_its_message_alone(sent: list[tuple[int, int]]) -> None:
    """However many others there are, and whatever the order of the events."""
    ids = [to_text(derive(bytes(16), number)) for number in range(4)]
    seen = History(lambda: 0)
    for number, (which, second) in enumerate(sent):
        at = BEGAN + second * SECOND
        seen.append(Intended(at, number, ids[which], "orders", 0, "k"))
        seen.append(Answered(at, number, Position(1, number)))
        lane = (LaneRow(number, "payments", 0, ids[which]),)
        seen.append(Committed(at, "worker-1", "orders/0", 1, 1, number, lane, (), ()))
    record = msgspec.structs.replace(Play(offered=1).kept().record, blows=())
    found = lives(Kept(record, [], [], [], seen), [Witness("", "", (name,)) for name in ids])
    for which, story in enumerate(found):
        mine = sorted(second for other, second in sent if other == which)
        assert sum(step.times for step in story if step.kind == "meant") <= len(mine)
        assert len(story) <= MOST
        assert {step.at for step in story} <= set(mine)
