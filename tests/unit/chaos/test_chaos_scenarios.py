"""Scenarios: what a file may say, what is said of one that is wrong, and when what is struck and healed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magnetar.actors.providing.emulator.conduct import Manner
from magnetar.chaos.cluster.profile import FULL, SMALL
from magnetar.chaos.faults.links import Cut, Ways
from magnetar.chaos.faults.rates import LimitRate
from magnetar.chaos.faults.targets import BookiesOf, BrokerOf, Every, Leader, Named, WorkerOf
from magnetar.chaos.faults.topics import Seek
from magnetar.chaos.measuring.alarms import ALARMS
from magnetar.chaos.paying.impatient import PARTITIONS
from magnetar.chaos.playing.agenda import Step, agenda, length
from magnetar.chaos.playing.budget import away, is_within
from magnetar.chaos.scenarios import spec
from magnetar.chaos.scenarios.making import fault_of, target_of
from magnetar.chaos.scenarios.reading import SUITE, ScenarioMissing, ScenarioRefused, chosen, parsed, suite
from magnetar.chaos.scenarios.spec import Kill, Load, Phases, Repeat, Scenario, Unload, Who
from magnetar.chaos.zoo.cluster.bug import PLAYS

PATH = Path("own.yaml")
GOOD = """
id: X01
title: A bookie goes
text: It is killed.
faults:
  - {do: kill, who: {every: bookie, count: 1}, for: 5}
"""
WANTED = {
    "S02",
    "S03",
    "S04",
    "S05",
    "S06",
    "S07",
    "S08",
    "S09",
    "S11",
    "S12",
    "S14",
    "S15",
    "S16",
    "S17",
    "S19",
    "S21",
}
CI = 8


def test_those_that_come_with_magnetar_can_be_read() -> None:
    """Each has faults that can be made, bounds that say why, and alarms that somebody looks for."""
    found = suite()
    assert found.keys() >= WANTED | {"S21b", "S21c", "S22", "S22b", "S24", "S25", "S27", "S28", "S29", "S30"}
    assert sum(each.ci for each in found.values()) >= CI
    for scenario in found.values():
        assert [fault_of(deed, 0).title for deed in scenario.faults]
        assert set(scenario.alarms) <= ALARMS.keys()
        assert scenario.bounds or scenario.needs, scenario.id
        assert all(need.what for need in scenario.needs)


@pytest.mark.parametrize("path", [*SUITE.glob("*.yaml"), *PLAYS.glob("*.yaml")], ids=lambda path: path.stem)
def test_every_shard_that_is_aimed_at_is_there(path: Path) -> None:
    """Nobody is the worker of another, and what nobody has cannot be struck."""
    numbers = re.findall(r"worker-of: [a-z-]+/(\d+)", path.read_text(encoding="utf-8"))
    assert all(int(number) < PARTITIONS for number in numbers)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (GOOD.replace("kill", "kil"), "faults, 1: Input tag 'kil' found using 'do' does not match any of the expected"),
        (GOOD.replace("bookie", "booky"), "faults, 1, kill, who, every: Input should be 'zookeeper', 'bookie'"),
        (GOOD.replace("count: 1", "named: [bookie-1]"), "name one way to find who is meant"),
        (
            GOOD.replace("every: bookie, count: 1", "leader: zookeeper, count: 1"),
            "only every and bookies-of have a count",
        ),
        (
            GOOD.replace("for: 5", "during: storm"),
            "the whole: fault 1 is during 'storm': no fault before it has this name",
        ),
        (
            GOOD.replace("for: 5", "for: 5, stays: true"),
            "faults, 1, kill: what stays has no for, no during and no repeat",
        ),
        (GOOD.replace("for: 5", "for: 5s"), "faults, 1, kill, for: Input should be a valid number"),
        (GOOD.replace("for: 5", "duration: 5"), "faults, 1, kill, duration: Extra inputs are not permitted"),
        (GOOD.replace("for: 5", "for: -1"), "faults, 1, kill, for: Input should be greater than or equal to 0"),
        (GOOD.replace("text:", "txt:"), "text: Field required"),
        (GOOD.replace("X01", "one"), "id: String should match pattern"),
        ("faults: [", "not YAML: while parsing"),
        ("- 1", "the whole: Input should be a valid dictionary"),
        ("!!python/object:os.system {}", "not YAML: could not determine a constructor"),
        ("x" * 100_001, "it has 100001 characters"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, told: str) -> None:
    """File, place, reason, and where to read how it should be."""
    with pytest.raises(ScenarioRefused) as refused:
        parsed(text, PATH)
    said = str(refused.value)
    assert said.startswith("own.yaml is no scenario:\n")
    assert told in said
    assert "should have at least" not in said
    assert said.endswith("docs/operations/chaos.md.")


def test_scenarios_are_chosen_by_id_or_by_file(tmp_path: Path) -> None:
    """Each once; who is not there is named, with those that are."""
    own = tmp_path / "own.yaml"
    own.write_text(GOOD, encoding="utf-8")
    assert [each.id for each in chosen(["s03", str(own), "S03"])] == ["S03", "X01"]
    with pytest.raises(ScenarioMissing, match="there is no scenario S99: there are S01, S02, S03"):
        chosen(["S99"])
    with pytest.raises(ScenarioRefused, match="No such file"):
        chosen([str(tmp_path / "gone.yaml")])


def test_targets_are_those_of_the_faults() -> None:
    """Every way to find somebody, and a cut one way."""
    found = [
        target_of(Who(named=("store",))),
        target_of(Who(every="broker", count=2)),
        target_of(Who(broker_of="orders/o-17")),
        target_of(Who(bookies_of="orders/o-17")),
        target_of(Who(worker_of="orders/3")),
        target_of(Who(leader="zookeeper")),
    ]
    assert found == [
        Named(("store",)),
        Every(spec.ROLES["broker"], 2),
        BrokerOf("orders", "o-17"),
        BookiesOf("orders", "o-17", 1),
        WorkerOf("orders/3"),
        Leader(),
    ]
    there = fault_of(spec.Cut(do="cut", who=Who(named=("worker-1",)), other=Who(named=("store",)), ways="there"))
    assert there == Cut(Named(("worker-1",)), Named(("store",)), Ways.THERE)
    assert fault_of(Unload(do="unload", key="orders/o-{turn}"), 7).title == "unload orders/o-7"
    assert fault_of(spec.Seek(do="seek", key="orders/o-{turn}"), 7) == Seek("orders", "o-7")
    slow = spec.LimitRate(do="limit-rate", who=Who(named=("store",)), kilobits=500)
    assert fault_of(slow) == LimitRate(Named(("store",)), 500)


def kill(**changes: object) -> Kill:
    """A deed; what it does is of no interest."""
    return Kill.model_validate({"do": "kill", "who": {"named": ["store"]}, **changes})


def test_an_agenda_heals_before_it_strikes_and_last_struck_first() -> None:
    """What is over at once is healed before the next one; what is during another ends before it."""
    deeds = [
        kill(name="long", **{"for": 10.0}),
        kill(during="long", at=8.0, **{"for": 10.0}),
        kill(at=10.0),
        kill(repeat={"times": 2, "every": 4.0}, **{"for": 4.0}),
    ]
    assert agenda(deeds) == [
        Step(0.0, "strike", 0, 0),
        Step(0.0, "strike", 3, 0),
        Step(4.0, "heal", 3, 0),
        Step(4.0, "strike", 3, 1),
        Step(8.0, "heal", 3, 1),
        Step(8.0, "strike", 1, 0),
        Step(10.0, "heal", 1, 0),
        Step(10.0, "heal", 0, 0),
        Step(10.0, "strike", 2, 0),
        Step(10.0, "heal", 2, 0),
    ]


def test_what_stays_is_struck_and_not_healed_by_the_agenda() -> None:
    """Nor is anything during it."""
    deeds = [kill(at=1.0, stays=True), kill(**{"for": 4.0})]
    assert [step[:3] for step in agenda(deeds)] == [(0.0, "strike", 1), (1.0, "strike", 0), (4.0, "heal", 1)]
    assert length(deeds) == 4.0
    with pytest.raises(ScenarioRefused, match="no fault before it has this name and a for"):
        parsed(GOOD.replace("for: 5}", "stays: true, name: x}\n  - {do: unload, key: orders/o-1, during: x}"), PATH)


TIMES = st.floats(0, 50).map(lambda value: round(value, 1))
DEEDS = st.lists(
    st.builds(
        Kill,
        do=st.just("kill"),
        who=st.just(Who(named=("store",))),
        at=TIMES,
        lasts=TIMES,
        repeat=st.none() | st.builds(Repeat, times=st.integers(1, 5), every=st.floats(0.5, 9)),
    ),
    min_size=1,
    max_size=4,
)


@given(DEEDS, st.lists(TIMES, max_size=3), TIMES)
def test_everything_that_is_struck_is_healed_once_and_later(
    deeds: list[Kill], inner: list[float], lasts: float
) -> None:
    """In the order of time; what is during another one is within it."""
    deeds = [*deeds, kill(name="outer", at=1.0, **{"for": lasts}), *(kill(during="outer", at=at) for at in inner)]
    steps = agenda(deeds)
    assert [step.at for step in steps] == sorted(step.at for step in steps)
    for number, deed in enumerate(deeds):
        turns = 1 if deed.repeat is None else deed.repeat.times
        for turn in range(turns):
            strike, heal = (steps.index(next(s for s in steps if s[1:] == (what, number, turn))) for what in STEPS)
            assert strike < heal
    assert len({step[1:] for step in steps}) == len(steps)
    assert length(deeds) == steps[-1].at


STEPS = ("strike", "heal")


def test_the_budget_is_the_profiles() -> None:
    """Of bookies those beyond an ensemble, of others all but what they need; a provider may be away."""
    assert is_within(SMALL, ["bookie-1", "broker-2", "worker-1", "provider"])
    assert is_within(FULL, ["zookeeper-3", "bookie-2", "broker-1", "broker-2", "worker-1", "worker-3"])
    for beyond in (["bookie-1", "bookie-2"], ["store"], ["worker-1", "worker-2"], ["zookeeper-1"]):
        assert not is_within(SMALL, beyond), beyond
    assert is_within(SMALL, ["bookie-1", "bookie-1"])


WHO = Who(named=("store",))


def test_every_kind_of_fault_can_be_made() -> None:
    """Whatever a file may say."""
    base: dict[str, object] = {"who": {"named": ["store"]}, "other": {"named": ["broker-1"]}, "key": "orders/o-1"}
    also: dict[str, object] = {"kilobits": 500, "seconds": 600, "share": 0.1, "rates": {"slow": 0.5}}
    also["points"] = ["store.commit:after"]
    for kind in get_args(get_args(spec.Deed)[0]):
        fields = {name: value for name, value in (base | also).items() if name in kind.model_fields}
        made = fault_of(kind(do=get_args(kind.model_fields["do"].annotation)[0], **fields))
        assert (type(made).__name__, bool(made.title)) == (kind.__name__, True)


def test_a_cut_takes_its_side_away_and_a_restart_nobody() -> None:
    """For the budget: those it is cut from are there for all others."""
    cut = spec.Cut(do="cut", who=Who(named=("worker-1",)), other=Who(every="broker"))
    assert away(cut, ("worker-1", "broker-1", "broker-2"), 1) == ("worker-1",)
    assert away(kill(), ("store",), 0) == ("store",)
    for disk in (spec.FillDisk(do="fill-disk", who=WHO), spec.FreezeDisk(do="freeze-disk", who=WHO)):
        assert away(disk, ("store",), 0) == ("store",)
    for broken in (spec.FailDisk(do="fail-disk", who=WHO), spec.LosePower(do="lose-power", who=WHO)):
        assert away(broken, ("store",), 0) == ("store",)
    assert away(spec.Restart(do="restart", who=Who(every="broker")), ("broker-1",), 0) == ()


def test_the_page_tells_the_format_as_it_is() -> None:
    """Its example can be read; every fault, count and alarm has its place."""
    page = (Path(__file__).parents[3] / "docs" / "operations" / "chaos.md").read_text(encoding="utf-8")
    example = page.split("```yaml\n")[1].split("```")[0]
    assert parsed(example, PATH).bounds["gap"].seconds == suite()["S03"].bounds["gap"].seconds
    named = set(re.findall(r"`([^`\n]+)`", page))
    kinds = {get_args(kind.model_fields["do"].annotation)[0] for kind in get_args(get_args(spec.Deed)[0])}
    manners = {manner.value for manner in Manner} - {"ok"}
    fields = {name.replace("_", "-") for name in (*Phases.model_fields, *Load.model_fields, *Scenario.model_fields)}
    ways = {name.replace("_", "-") for name in Who.model_fields}
    told = {*kinds, *manners, *get_args(spec.Counted), *ALARMS, *fields}
    assert told - named - {"id", "title", "text", "profile", "ci", "faults"} == set()
    assert all(f"{way}: " in page for way in ways - {"count"})
