"""What a run came to: its figures, and that it is unknown where it showed too little."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from magnetar.chaos.checkers import CHECKERS
from magnetar.chaos.evidence import Place
from magnetar.chaos.history import History, Intended, Restored, Violation
from magnetar.chaos.measuring import figures
from magnetar.chaos.measuring.alarms import alarms
from magnetar.chaos.measuring.bounds import affected, bounds, failover, needs
from magnetar.chaos.measuring.findings import check_of, only_the_ill_die, promised, witness_of
from magnetar.chaos.measuring.judging import Shown, verdict
from magnetar.chaos.measuring.lists import lists_are_whole
from magnetar.chaos.measuring.looks import Look
from magnetar.chaos.measuring.points import Fate, Meant, fates, phase_at, points
from magnetar.chaos.measuring.tenures import Seen, owned, tenures
from magnetar.chaos.record.shape import (
    Alarm,
    Blow,
    Bound,
    BoundName,
    Check,
    Gap,
    Measures,
    Need,
    Phase,
    Point,
    Sample,
    Tenure,
)
from magnetar.chaos.scenarios import spec
from magnetar.chaos.simulation.clerks import Desk
from magnetar.chaos.simulation.shopping import Shopping
from magnetar.chaos.verdict import Finding, Verdict
from magnetar.chaos.workloads.market import MARKET
from magnetar.runtime.bus.port import Position
from magnetar.runtime.identity import id_of

PHASES = (
    Phase("warm-up", 0.0, 10.0),
    Phase("baseline", 10.0, 30.0),
    Phase("fault", 30.0, 50.0),
    Phase("heal", 50.0, 52.0),
    Phase("recover", 52.0, 80.0),
)
BLOW = Blow(
    "kill broker-1",
    "broker-1 (the broker of x)",
    30.0,
    31.0,
    50.0,
    52.0,
    "gone",
    "ready",
    inside_budget=True,
    required=True,
)
GROUPS = ("orders/0", "orders/1")


def point(at: float, took: float | None = 0.1, group: str = "orders/0") -> Point:
    """One operation; it took so long, or nobody knows."""
    done = None if took is None else at + took
    return Point(at, done, "place", "orders/o", group, "unknown" if took is None else "ok", phase_at(at, PHASES))


def steady(begin: float, end: float, group: str = "orders/0", took: float = 0.1) -> list[Point]:
    """Ten a second."""
    return [point(begin + number / 10, took, group) for number in range(round((end - begin) * 10))]


def test_recovery_is_measured_from_the_last_health_without_those_that_stay_away() -> None:
    """Of these the proof of effect counts: they are healed when all is over."""
    stays = msgspec.structs.replace(BLOW, stays=True, effective=55.0, heal=90.0, healed=91.0)
    assert figures.over([BLOW]) == 52.0
    assert figures.over([BLOW, stays]) == 55.0
    assert figures.over([msgspec.structs.replace(BLOW, healed=None)]) is None


def sound() -> Shown:
    """A run that shows all that it should."""
    return Shown(
        phases=PHASES,
        blows=(BLOW,),
        points=steady(0.0, 80.0),
        bounds=(Bound("gap", 10.0, 9.0, "because"),),
        checks=(Check("nothing acked is lost", Verdict.VALID, {"examined": 5, "wrong": 0}, ()),),
        needs=(Need("takeovers", 1, 2),),
        alarms=(
            Alarm("MagnetarNoWorker", seen_at=33.0, expected=True),
            Alarm("MagnetarCrashes", seen_at=3.0, expected=False),
        ),
        starved=False,
    )


def test_a_run_that_shows_everything_is_valid() -> None:
    """Also where somebody was woken that nobody had expected to be."""
    assert verdict(sound()) == (Verdict.VALID, ())


LOST = Check("nothing acked is lost", Verdict.INVALID, {"examined": 5, "wrong": 2}, ())
UNFED = Check("no fork", Verdict.UNKNOWN, {"examined": 0, "wrong": 0}, ())
STILL = [each for each in steady(0.0, 80.0) if not 30.0 < each.at < 50.0] + [point(35.0, 20.0)]
STALLED = [each for each in steady(0.0, 80.0) if each.phase != "baseline"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"blows": (msgspec.structs.replace(BLOW, effective=None),)}, "not proven to have taken effect (gone)"),
        ({"blows": (msgspec.structs.replace(BLOW, healed=None),)}, "not proven to be healed (ready)"),
        ({"blows": ()}, "no fault was struck"),
        ({"points": STALLED}, "the workload stalled: nothing succeeded in the phase baseline"),
        ({"points": [e for e in steady(0, 80) if not 30 < e.at < 53]}, "nothing was asked of the cluster meanwhile"),
        ({"points": []}, "the workload stalled: nothing succeeded in the phase warm-up"),
        ({"checks": (UNFED,)}, "no fork: there was nothing to look at"),
        ({"checks": ()}, "no checker looked"),
        ({"needs": (Need("takeovers", 2, 1),)}, "takeovers: 1, fewer than 2"),
        (
            {"alarms": (Alarm("MagnetarNoWorker", seen_at=None, expected=True),)},
            "MagnetarNoWorker was expected and not seen",
        ),
        ({"bounds": (Bound("gap", 10.0, 11.0, ""),), "starved": True}, "no time to show it: gap: 11.0 s"),
        ({"points": STILL, "starved": True}, "no time to show it: kill broker-1: nothing succeeded"),
        ({"broken": ("customers gave up",)}, "customers gave up"),
        ({"bounds": (Bound("gap", 10.0, None, ""),), "broken": ("gone",)}, "too early to show it: gap: not seen"),
    ],
)
def test_what_showed_too_little_is_unknown(changes: dict[str, Any], reason: str) -> None:
    """Never green, and not red: nothing is known to be wrong."""
    found, reasons = verdict(replace(sound(), **changes))
    assert found is Verdict.UNKNOWN
    assert any(reason in each for each in reasons), reasons


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"checks": (LOST,)}, "nothing acked is lost: 2 of 5 are wrong"),
        ({"noticed": ("stock of sku-1 was negative",)}, "stock of sku-1 was negative"),
        ({"bounds": (Bound("gap", 10.0, 11.0, ""),)}, "gap: 11.0 s, more than 10 s"),
        ({"bounds": (Bound("recovery", 10.0, None, ""),)}, "recovery: not seen within 10 s"),
        ({"points": STILL}, "kill broker-1: nothing succeeded in the 19.0 s that it was in force"),
    ],
)
def test_what_is_wrong_is_invalid_however_little_was_shown(changes: dict[str, Any], reason: str) -> None:
    """Doubts are told after it."""
    found, reasons = verdict(replace(sound(), **changes, needs=(Need("takeovers", 2, 1),)))
    assert found is Verdict.INVALID
    assert reason in reasons[0]
    assert reasons[-1] == "takeovers: 1, fewer than 2"


def test_safety_counts_however_starved_the_machine_was() -> None:
    """Only what takes time does not."""
    assert verdict(replace(sound(), checks=(LOST,), starved=True))[0] is Verdict.INVALID


def test_beyond_the_budget_the_cluster_may_stand_still() -> None:
    """And where the scenario says that nothing is required."""
    for change in ({"inside_budget": False}, {"required": False}):
        shown = replace(sound(), points=STILL, blows=(msgspec.structs.replace(BLOW, **change),))
        assert verdict(shown) == (Verdict.VALID, ())


def test_within_the_gap_that_each_may_have_all_may_stand_still() -> None:
    """A fault of a second and a half, and five until others have the shards of who died, is no standstill."""
    assert verdict(replace(sound(), points=STILL, bounds=(Bound("gap", 19.0, 9.0, ""),))) == (Verdict.VALID, ())
    assert verdict(replace(sound(), points=STILL, bounds=(Bound("recovery", 19.0, 9.0, ""),)))[0] is Verdict.INVALID


def test_the_longest_gap_of_each_group_is_the_stretch_in_which_it_had_something_to_do() -> None:
    """Not when nobody asked; longest first, and only what overlaps the stretch."""
    some = [*steady(30, 40), point(40.0, 12.0), *steady(52.0, 60), *steady(30, 60, "orders/1")]
    first, second = figures.gaps(some, 30.0, 60.0)
    assert (first.group, round(first.begin, 1), round(first.end, 1)) == ("orders/0", 40.0, 52.0)
    assert (second.group, round(second.seconds, 1)) == ("orders/1", 0.1)
    assert all(gap.seconds < 1.0 for gap in figures.gaps(some, 55.0, 60.0))


def test_failover_is_when_the_last_group_succeeds_in_what_was_asked_after_the_proof() -> None:
    """Not what was under way before it, nor what succeeds when it is healed."""
    some = [point(30.9, 3.0), point(32.0, 4.0), point(33.0, 2.0), point(32.5, 1.0, "orders/1")]
    assert figures.failover(some, GROUPS, 31.0, 50.0) == 4.0
    assert figures.failover(some, GROUPS[1:], 31.0, 50.0) == 2.5
    assert figures.failover([*some, point(40.0, None, "orders/2")], (*GROUPS, "orders/2"), 31.0, 50.0) is None
    assert figures.failover(some, GROUPS, 31.0, 34.0) is None
    assert figures.failover([], GROUPS, 31.0, 50.0) is None


def test_failover_is_of_those_that_the_struck_had() -> None:
    """By the looks at who had what; of a bookie, all; beyond the budget, nobody's."""
    owners = [Tenure("topic orders-partition-0", "broker-1", 0.0, 35.0), Tenure("shard orders/1", "worker-1", 0, None)]
    some = [point(32.0, 4.0), point(32.0, 1.0, "orders/1")]
    assert affected(BLOW, some, owners) == {"orders/0"}
    assert affected(msgspec.structs.replace(BLOW, target="bookie-1"), some, owners) == set(GROUPS)
    assert failover(some, [BLOW], owners) == 5.0
    assert failover(some, [msgspec.structs.replace(BLOW, inside_budget=False)], owners) is None
    assert failover(some, [BLOW, msgspec.structs.replace(BLOW, effective=33.0)], owners) is None


def test_recovery_is_the_first_stretch_in_which_all_goes_as_in_the_baseline() -> None:
    """Slow ones count from when they were meant; without a baseline nobody knows."""
    before, late, after = steady(10, 30), steady(52, 57, took=4.0), steady(57, 80)
    assert figures.recovery([*before, *late, *after], 52.0, 80.0) == pytest.approx(4.75, abs=0.3)
    assert figures.recovery([*before, *after], 57.0, 80.0) == 0.0
    assert figures.recovery([*before, *late, *after], 52.0, 66.0) is None
    assert figures.recovery(after, 57.0, 80.0) is None
    assert figures.recovery(before, 57.0, 80.0) is None
    lost = [msgspec.structs.replace(each, outcome="unknown", done=None) for each in after[:40]]
    assert figures.recovery([*before, *lost, *after[40:]], 57.0, 80.0) == pytest.approx(4.0, abs=0.3)


def test_drain_is_when_no_more_waits_than_before_for_three_looks() -> None:
    """One look at zero is chance."""
    values = {20.0: 30, 50.0: 90, 52.0: 80, 53.0: 2, 54.0: 60, 55.0: 30, 56.0: 2, 57.0: 0}
    looks = [Sample(at, "backlog/all", value) for at, value in values.items()]
    assert figures.drain(looks, PHASES[1], 52.0) == 3.0
    assert figures.drain(looks[:-1], PHASES[1], 52.0) is None


def test_a_few_under_way_are_no_backlog_whatever_was_seen_before() -> None:
    """The looks of a baseline are few, and what they see is chance."""
    looks = [Sample(at, "backlog/all", value) for at, value in {12.0: 2, 52.0: 21, 55.0: 20, 58.0: 9, 61.0: 20}.items()]
    assert figures.drain(looks, PHASES[1], 52.0) == 3.0


def test_latency_is_from_the_intended_start_in_the_phase_of_that() -> None:
    """Of what succeeded; quantiles in order."""
    some = [*steady(10, 30), point(29.95, 20.0), point(31.0, None)]
    (only,) = figures.latencies(some)
    assert (only.phase, only.count) == ("baseline", 201)
    assert only.max == pytest.approx(20.0)
    assert only.p50 == pytest.approx(0.1)
    assert only.p50 <= only.p95 <= only.p99 <= only.max
    assert figures.offered(some, {"baseline": PHASES[1]}) == pytest.approx(10.05)


LOOKS = st.lists(
    st.builds(Seen, st.floats(0, 100), st.sampled_from(["a", "b"]), st.sampled_from(["", "one", "two"])), max_size=12
)


@given(LOOKS)
def test_tenures_do_not_overlap_and_are_as_it_was_seen(looks: list[Seen]) -> None:
    """At each look, whoever had it then has a tenure; of one thing nobody has two at a time."""
    found = tenures(looks)
    for what in ("a", "b"):
        mine = [each for each in found if each.what == what]
        for one, other in pairwise(mine):
            assert one.end is not None
            assert one.end <= other.begin
            assert one.end < other.begin or one.owner != other.owner or _left(looks, what, one.end)
        assert all(each.end is not None for each in mine[:-1])
    last = {look.what: look for look in sorted(looks)}
    for what, look in last.items():
        assert [each.owner for each in found if each.what == what and each.end is None] == [look.owner] * bool(
            look.owner
        )


def _left(looks: list[Seen], what: str, at: float) -> bool:
    """Whether somebody saw then that it was another's, or nobody's."""
    return len({look.owner for look in looks if look.what == what and look.at == at}) > 1


def test_who_owned_what_at_a_time() -> None:
    """From its begin on, and not at its end any more."""
    some = [Tenure("shard a/1", "w", 1.0, 2.0), Tenure("shard a/2", "w", 1.5, None), Tenure("shard a/3", "v", 0, None)]
    assert owned(some, "w", 1.0) == ["shard a/1"]
    assert owned(some, "w", 2.0) == ["shard a/2"]


def test_alarms_are_those_expected_and_those_seen() -> None:
    """A counter that stands where it stood wakes nobody."""
    looks = [Sample(1.0, "workers", 2), Sample(2.0, "workers", 0), Sample(3.0, "workers", 2)]
    looks += [Sample(1.0, "metric/crashes", 4), Sample(2.0, "metric/crashes", 4)]
    looks += [Sample(1.0, "metric/refused commits", 4), Sample(2.5, "metric/refused commits", 5)]
    assert alarms(looks, ["MagnetarCrashes", "MagnetarNoWorker"]) == [
        Alarm("MagnetarNoWorker", seen_at=2.0, expected=True),
        Alarm("MagnetarCommitRefused", seen_at=2.5, expected=False),
        Alarm("MagnetarCrashes", seen_at=None, expected=True),
    ]


def test_bounds_and_needs_are_shown_beside_what_was_seen() -> None:
    """What was not counted did not happen."""
    measures = Measures(10.0, 1, 0, 0, (), (Gap("g", 4.0, 0, 4),), None, 2.0, None)
    names: tuple[BoundName, ...] = ("gap", "failover", "recovery", "drain")
    wanted: dict[BoundName, spec.Bound] = {name: spec.Bound(seconds=5, why="so") for name in names}
    assert [each.seen for each in bounds(wanted, measures)] == [4.0, None, 2.0, None]
    assert needs([spec.Need(what="doubts", least=2)], {"applied": 3}) == [Need("doubts", 2, 0)]


def delivery(message_id: str, at: int) -> Any:
    """Of a log."""
    return SimpleNamespace(properties={"message_id": message_id}, published_at=at)


def row(
    message_id: str, key: str = "k", disposition: str = "applied", source: str = "desks/0", position: str = ""
) -> Any:
    """Of the journal."""
    return SimpleNamespace(
        message_id=id_of(message_id), key=key, actor="desks", now=5_000_000, disposition=disposition, type="Note",
        source=source, position=position,
    )  # fmt: skip


def test_an_operation_is_done_when_its_first_effect_is_published() -> None:
    """Of two copies the first counts; without an effect, when it was handled; a dead one has failed."""
    journal = {("desks", id_of(name)): row(name, disposition=how) for name, how in FATES.items()}
    effect = SimpleNamespace(message_id="e", by=journal["desks", id_of("echoing")])
    logs = {Place("echoes", 0): [delivery("e", 9_000_000), delivery("e", 7_000_000), delivery("e", 8_000_000)]}
    evidence: Any = SimpleNamespace(logs=logs, journal=journal, effects=[effect])
    found = fates(evidence)
    assert found["desks", id_of("echoing")] == Fate(applied=True, seen=7_000_000)
    meant = [Meant(at, name, "append", "k", "desks", 8) for at, name in enumerate([*FATES, "lost"])]
    made = points(meant, found, PHASES, 1_000_000)
    assert [(each.outcome, each.done) for each in made] == [
        ("ok", 6.0),
        ("ok", 4.0),
        ("failed", 4.0),
        ("unknown", None),
    ]
    assert {each.key for each in made} == {"desks/k"}
    assert {each.phase for each in made} == {"warm-up"}


FATES = {"echoing": "applied", "silent": "applied", "ill": "dead"}


@given(
    st.lists(st.integers(0, 9), max_size=12).map(sorted),
    st.lists(st.integers(0, 9), min_size=1, max_size=12),
)
def test_a_message_was_applied_by_the_first_look_at_which_its_feed_was_so_far(came: list[int], sent: list[int]) -> None:
    """Whatever clocks say; of other feeds it tells nothing, and what no look has seen keeps the time of its row."""
    looks = [
        Look(100 + at, {"desks/0": Position(0, entry), "desks/1": Position(9, 9)}) for at, entry in enumerate(came)
    ]
    journal = [row(f"m-{at}", position=str(Position(0, entry))) for at, entry in enumerate(sent)]
    rows = {("desks", each.message_id): each for each in [*journal, row("timer", source="timer")]}
    evidence: Any = SimpleNamespace(logs={}, journal=rows, effects=[])
    found = fates(evidence, looks)
    for at, entry in enumerate(sent):
        first = next((100 + look for look, reached in enumerate(came) if reached >= entry), 5_000_000)
        assert found["desks", id_of(f"m-{at}")].seen == first
    assert found["desks", id_of("timer")].seen == 5_000_000


def test_a_checker_that_was_not_fed_says_nothing() -> None:
    """Neither valid nor invalid; what is wrong is told with the key and the ids that it names."""
    assert check_of(Finding("money", 0, 0, ())).verdict is Verdict.UNKNOWN
    assert check_of(Finding("money", 3, 0, ())).verdict is Verdict.VALID
    wrong = Violation("in order", "actor desks, key d-1, message m-7", "after message m-9")
    found = check_of(Finding("order", 3, 1, (wrong,)))
    assert (found.verdict, found.counts) == (Verdict.INVALID, {"examined": 3, "wrong": 1})
    assert witness_of(wrong) == found.witnesses[0]
    assert (found.witnesses[0].key, found.witnesses[0].ids) == ("d-1", ("m-7", "m-9"))


@pytest.mark.parametrize(
    ("words", "fine"),
    [
        (("0", "1", "2"), True),
        (("0", "2", "1"), False),
        (("0", "1"), False),
        (("0", "1", "1", "2"), False),
        (None, False),
    ],
)
def test_a_list_has_every_word_once_and_in_order(words: tuple[str, ...] | None, *, fine: bool) -> None:
    """Of three that were sent, one of them twice."""
    wiring = MARKET.wire()
    codec = wiring.actors["desks"].codec
    sent = [Intended(0, number, f"m-{place}", "desks", 0, "x.list-1") for number, place in enumerate((0, 1, 1, 2))]
    states = {} if words is None else {("desks", "x.list-1"): SimpleNamespace(body=codec.encode(Desk(words=words)))}
    evidence: Any = SimpleNamespace(wiring=wiring, states=states)
    history: Any = SimpleNamespace(sendings={each.number: each for each in sent})
    assert [each is None for each in lists_are_whole(history, evidence)] == [fine]


def test_only_what_is_ill_may_die() -> None:
    """Poison and killers are looked at by others."""
    rows = [row("a"), row("b", "x.poison-1", "dead"), row("c", "x.o-1", "dead"), row("d", "x.killer-0", "dead")]
    evidence: Any = SimpleNamespace(journal={(each.actor, each.message_id): each for each in rows})
    history: Any = None
    found = list(only_the_ill_die(history, evidence))
    assert [each is None for each in found] == [True, False]


def test_after_a_backup_what_is_decided_otherwise_is_nobody_s_fault() -> None:
    """What is lost, out of order or forked still is."""
    every, history = [*CHECKERS, *Shopping().checkers], History(lambda: 0)
    assert promised(every, history) == every
    history.append(Restored(0, 0))
    assert {each.name for each in every} - {each.name for each in promised(every, history)} == {
        "effects once",
        "outbox",
        "money",
        "stock",
    }
