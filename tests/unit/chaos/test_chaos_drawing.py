"""Scenarios that are drawn from a seed: storms and pairs can be played, are the same again, and keep to their rules."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from math import inf
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from magnetar.chaos import cli
from magnetar.chaos.cluster.profile import FULL, PROFILES, SMALL, Profile, Role
from magnetar.chaos.playing.agenda import agenda
from magnetar.chaos.playing.budget import is_within
from magnetar.chaos.scenarios.bearing import BREATH, REST, can_be, exceeds
from magnetar.chaos.scenarios.harms import KIND, KINDS, Harm, deed_of
from magnetar.chaos.scenarios.making import fault_of
from magnetar.chaos.scenarios.pairs import EVERY, chained, covered, pairs
from magnetar.chaos.scenarios.pairs import planned as paired
from magnetar.chaos.scenarios.reading import parsed, suite
from magnetar.chaos.scenarios.spec import Deed, Misbehave, OfTopic, Scenario, SecondFleet
from magnetar.chaos.scenarios.storm import MOST_MINUTES, storm, storms
from magnetar.chaos.scenarios.writing import written
from magnetar.runtime.cli.exits import BadInput

SEEDS = st.integers(0, 999_999_999)
NAMES = st.sampled_from(sorted(PROFILES))
MINUTES = st.floats(0.5, MOST_MINUTES)
PATH = Path("drawn.yaml")
RUN = CliRunner()


def can_be_played(scenario: Scenario) -> None:
    """Every fault can be made, every node is there, and the file can be read again."""
    assert parsed(written(scenario), PATH) == scenario
    nodes = {node.name for node in PROFILES[scenario.profile].nodes}
    for deed in scenario.faults:
        assert fault_of(deed).title
        assert set(struck(deed)) <= nodes


def struck(deed: Deed) -> tuple[str, ...]:
    """Whom it names."""
    return () if isinstance(deed, OfTopic | Misbehave | SecondFleet) else deed.who.named or ()


@given(SEEDS, NAMES, MINUTES)
def test_a_storm_can_be_played_and_is_the_same_again(seed: int, profile: str, minutes: float) -> None:
    """Of its seed, profile and length alone."""
    found = storm(seed, profile, minutes)
    can_be_played(found)
    assert found == storm(seed, profile, minutes)
    assert sum(not deed.stays for deed in found.faults) >= minutes * 3


@given(SEEDS, NAMES, MINUTES)
def test_a_minority_stays_away_and_all_can_go_on_without_it(seed: int, profile: str, minutes: float) -> None:
    """Within the quorums; it is struck last, recovery must succeed, and nothing else is in force for good."""
    found = storm(seed, profile, minutes)
    dead = [deed for deed in found.faults if deed.stays]
    assert dead == list(found.faults)[-len(dead) :]
    assert is_within(PROFILES[profile], [name for deed in dead for name in struck(deed)])
    assert all(deed.required is None for deed in dead)
    steps = agenda(found.faults)
    healed = {step.deed for step in steps if step.what == "heal"}
    assert healed == set(range(len(found.faults) - len(dead)))


@given(SEEDS, NAMES)
def test_the_harms_of_a_storm_can_be_proven_one_beside_another(seed: int, profile: str) -> None:
    """One at a time at each node; whoever must live for it lives, and is not cut from what it needs."""
    found = storm(seed, profile, 2.0)
    spans: dict[str, list[tuple[float, float]]] = {}
    for deed in found.faults:
        for name in struck(deed):
            spans.setdefault(name, []).append((deed.at, inf if deed.stays else deed.at + deed.lasts))
    for some in spans.values():
        assert all(later[0] > earlier[1] for earlier, later in pairwise(sorted(some)))


def test_storms_differ_in_what_they_leave_out_and_go_beyond_what_is_borne_now_and_then() -> None:
    """So that what only few kinds together do is not hidden by the others."""
    found = [storm(seed, "small", 2.0) for seed in range(60)]
    kinds = [{deed.do for deed in each.faults if not deed.stays} for each in found]
    assert set().union(*kinds) == {kind.do for kind in KINDS}
    assert all(len(some) < len(KINDS) for some in kinds)
    assert len(set(map(frozenset, kinds))) > len(found) / 3
    beyond = sum(_goes_beyond(each, SMALL) for each in found)
    assert 0 < beyond < len(found)


def _goes_beyond(scenario: Scenario, profile: Profile) -> bool:
    """Whether at some moment of the plan more is away than can be spared."""
    gone: Counter[str] = Counter()
    for step in agenda(scenario.faults):
        deed = scenario.faults[step.deed]
        if KIND[deed.do].away:
            gone[struck(deed)[0]] += 1 if step.what == "strike" else -1
        if not is_within(profile, +gone):
            return True
    return False


@given(SEEDS, st.floats(0.5, 20))
def test_a_long_storm_is_several_of_one_cluster_each(seed: int, minutes: float) -> None:
    """Each with its own draw and its own name."""
    found = storms(seed, "small", minutes)
    assert len({each.id for each in found}) == len(found) >= minutes / MOST_MINUTES
    assert len({written(each).partition("faults:")[2] for each in found}) == len(found)


@given(SEEDS)
def test_the_chain_has_every_ordered_pair_once(seed: int) -> None:
    """Itself after itself, too."""
    chain = chained(seed)
    counts = Counter(pairwise(chain))
    assert len(counts) == len(EVERY) ** 2
    assert set(counts.values()) == {1}
    assert {(part.do, part.role) for part in EVERY} >= {("pause", Role.STORE), ("fill-disk", Role.ZOOKEEPER)}


@pytest.mark.parametrize("profile", [SMALL, FULL])
@pytest.mark.parametrize("parts", [5, 16])
def test_the_parts_have_every_pair_between_them(profile: Profile, parts: int) -> None:
    """The second of each while the first is in force or while all recovers from it, and each can be proven."""
    seen = Counter[object]()
    for part in range(1, parts + 1):
        harms = paired(5, profile, part, parts)
        seen.update(covered(harms))
        assert can_be(harms, profile)
        for first, second in pairwise(harms):
            assert first.begin < second.begin <= first.end + REST + BREATH
    assert len(seen) == len(EVERY) ** 2


@given(SEEDS, NAMES, st.integers(1, 16))
def test_a_part_of_the_pairs_can_be_played_and_is_the_same_again(seed: int, profile: str, part: int) -> None:
    """Its bound is that of the longest of its parts, and half as much again."""
    found = pairs(seed, profile, part)
    can_be_played(found)
    assert found == pairs(seed, profile, part)
    assert found.bounds["recovery"].seconds in {1.5 * bound for bound in (20, 30, 45)}
    assert found.phases.recover > found.bounds["recovery"].seconds


# which harms can be one beside another

ZK, BK1, BK2, BK3 = (SMALL.node(name) for name in ("zookeeper-1", "bookie-1", "bookie-2", "bookie-3"))
BR1, BR2, W1, STORE = (SMALL.node(name) for name in ("broker-1", "broker-2", "worker-1", "store"))


def harm(do: str, node: object, begin: float, end: float) -> Harm:
    """A plan of no other interest."""
    return replace(Harm(KIND[do], W1, begin, end), node=node)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("first", "second", "fine"),
    [
        (harm("kill", BR1, 0, 8), harm("kill", BR2, 4, 12), True),
        (harm("kill", BR1, 0, 8), harm("pause", BR1, 4, 12), False),
        (harm("kill", BR1, 0, 8), harm("pause", BR1, 9, 12), True),
        (harm("isolate", BR1, 0, 8), harm("kill", BR1, 10, 12), False),
        (harm("isolate", BR1, 0, 8), harm("kill", BR1, 20, 22), True),
        (harm("kill", ZK, 0, 8), harm("kill", BR1, 4, 12), False),
        (harm("kill", ZK, 0, 8), harm("kill", BR1, 12, 14), False),
        (harm("kill", ZK, 0, 8), harm("isolate", BR1, 4, 12), True),
        (harm("kill", ZK, 0, 8), harm("kill", BR1, 21, 23), True),
        (harm("kill", BR1, 0, 8), harm("kill", ZK, 4, 6), True),
        (harm("kill", BR1, 0, 8), harm("kill", ZK, 4, 12), False),
        (harm("kill", BK1, 0, 8), harm("kill", BR1, 4, 12), True),
        (harm("kill", STORE, 0, 8), harm("restart", W1, 4, 4), False),
        (harm("kill", BR1, 0, 8), harm("unload", BR2, 4, 4), False),
        (harm("kill", BK1, 0, inf), harm("kill", BR1, 4, 12), True),
    ],
)
def test_nobody_is_harmed_who_may_be_down_or_cannot_come_up(first: Harm, second: Harm, fine: bool) -> None:  # noqa: FBT001
    """Whoever ends by itself for what it needs cannot be killed with proof, and does not come up before that."""
    assert can_be([first, second], SMALL) is fine
    assert can_be([second, first], SMALL) is fine


def test_what_exceeds_the_budget_is_asked_of_what_is_away_at_once() -> None:
    """And not of what was away before."""
    assert exceeds(harm("kill", BR2, 4, 12), [harm("kill", BR1, 0, 8)], SMALL)
    assert not exceeds(harm("kill", BR2, 9, 12), [harm("kill", BR1, 0, 8)], SMALL)
    assert exceeds(harm("kill", BR2, 0, 8), [harm("kill", BR1, 4, 6)], SMALL)
    assert not exceeds(harm("kill", BR2, 4, 12), [harm("kill", BR1, 0, 8)], FULL)
    assert exceeds(harm("pause", STORE, 4, 12), [], FULL)
    assert not exceeds(harm("restart", BR2, 4, 4), [harm("kill", BR1, 0, 8)], SMALL)


def test_a_deed_says_only_what_is_not_as_usual() -> None:
    """What stays has no end."""
    assert deed_of(harm("kill", BR1, 0.04, 8.04)) == {
        "do": "kill",
        "at": 0.0,
        "required": None,
        "for": 8.0,
        "who": {"named": ["broker-1"]},
    }
    assert deed_of(harm("pause", BR1, 1.0, inf))["stays"] is True
    assert "for" not in deed_of(harm("pause", BR1, 1.0, inf))


# the commands


def test_what_would_be_done_is_told_as_yaml() -> None:
    """And nothing is done."""
    told = RUN.invoke(cli.app, ["chaos", "storm", "--plan", "--seed", "7"])
    assert told.exit_code == 0
    assert parsed(told.stdout, PATH) == storm(7, "small", 2.0)
    told = RUN.invoke(cli.app, ["chaos", "pairs", "--plan", "--part", "3/16", "--profile", "full"])
    assert parsed(told.stdout, PATH) == pairs(1, "full", 3)
    told = RUN.invoke(cli.app, ["chaos", "storm", "--plan", "--minutes", "9"])
    assert [parsed(each, PATH).id for each in told.stdout.split("---\n")] == ["S35-1.1", "S35-1.2", "S35-1.3"]


@pytest.mark.parametrize("part", ["3", "0/4", "5/4", "a/b", "1/1000"])
def test_a_part_that_is_none_is_refused(part: str) -> None:
    """With what it should be."""
    with pytest.raises(BadInput, match="--part is which of how many, such as 3/16"):
        RUN.invoke(cli.app, ["chaos", "pairs", "--plan", "--part", part], catch_exceptions=False)


def test_every_scenario_can_be_written_and_read_again() -> None:
    """A record has the file that plays it once more."""
    for scenario in suite().values():
        assert parsed(written(scenario), PATH) == scenario
        assert json.loads(scenario.model_dump_json(by_alias=True))["id"] in written(scenario)
