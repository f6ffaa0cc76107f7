"""What customers do in a scenario: repeatable, in order for each key, and apart from every other run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magnetar.chaos.history import Answered, Intended
from magnetar.chaos.scenarios.spec import Load
from magnetar.chaos.simulation.clerks import ALWAYS, HANDLED, Desk, Note
from magnetar.chaos.simulation.deaths import Killed
from magnetar.chaos.takeover.load import Published
from magnetar.chaos.takeover.reading import events_of
from magnetar.chaos.workloads.market import MARKET, WORKS
from magnetar.chaos.workloads.plan import Sent, letters
from magnetar.schemas.commerce import Place

if TYPE_CHECKING:
    from collections.abc import Sequence

ILL = (4.0, 8.0)
LOADS = st.builds(
    Load,
    orders=st.floats(0.5, 20),
    clicks=st.floats(0, 1),
    appends=st.floats(0.5, 30),
    lists=st.integers(1, 12),
    poison=st.integers(0, 3),
    killers=st.integers(0, 2),
)


@given(LOADS, st.integers(0, 9), st.floats(1, 12))
def test_a_plan_is_the_same_for_the_same_and_in_order(load: Load, seed: int, seconds: float) -> None:
    """By time; every second click is of something that was sent before, under the same id."""
    plan = letters(load, seconds, "x", seed, ILL)
    assert plan == letters(load, seconds, "x", seed, ILL)
    assert [each.at for each in plan] == sorted(each.at for each in plan)
    first = {each.message_id: each for each in plan if not each.copy}
    assert len(first) == sum(not each.copy for each in plan)
    for again in (each for each in plan if each.copy):
        assert first[again.message_id].message == again.message
        assert first[again.message_id].at < again.at


@given(LOADS, st.integers(0, 9))
def test_the_words_of_a_list_are_its_places_in_order(load: Load, seed: int) -> None:
    """So that order and loss are seen of the list alone."""
    words: dict[str, list[str]] = {}
    for each in letters(load, 10.0, "x", seed, ILL):
        if isinstance(each.message, Note) and ".list-" in each.key and not each.copy:
            words.setdefault(each.key, []).append(each.message.word)
    assert all(found == list(map(str, range(len(found)))) for found in words.values())


def test_two_runs_on_one_cluster_share_no_key_and_no_id() -> None:
    """Nor the shelves that orders take from."""
    one, other = (letters(Load(poison=1, killers=1), 10.0, name, 1, ILL) for name in ("a-1", "b-2"))
    for part in (_ids, _keys, _skus):
        assert part(one)
        assert not part(one) & part(other)


def _ids(plan: Sequence[Sent]) -> set[str]:
    return {each.message_id for each in plan}


def _keys(plan: Sequence[Sent]) -> set[str]:
    return {each.key for each in plan}


def _skus(plan: Sequence[Sent]) -> set[str]:
    return {line.sku for each in plan if isinstance(each.message, Place) for line in each.message.lines}


def test_what_is_ill_has_a_desk_of_its_own_and_comes_during_the_faults() -> None:
    """With a healthy word before it and one after it."""
    plan = [each for each in letters(Load(poison=2, killers=1, clicks=0), 20.0, "x", 3, ILL) if ".list" not in each.key]
    desks: dict[str, list[Sent]] = {}
    for each in plan:
        if isinstance(each.message, Note):
            desks.setdefault(each.key, []).append(each)
    assert sorted(desks) == ["x.killer-0", "x.poison-0", "x.poison-1"]
    for desk, sent in desks.items():
        notes = [each.message for each in sent if isinstance(each.message, Note)]
        assert [note.word for note in notes][::2] == ["before", "after"]
        assert (notes[1].fails == ALWAYS, bool(notes[1].kills)) == ("poison" in desk, "killer" in desk)
        assert ILL[0] <= sent[0].at <= ILL[1]


def test_a_second_click_is_a_second_intention_of_the_same_message() -> None:
    """Each is confirmed for itself; numbers go on from those of runs before."""
    once = Published("m", "desks", 3, "k", 10, 11, 12, 1)
    assert list(events_of([once, once], 5)) == [
        Intended(10, 5, "m", "desks", 3, "k"),
        Answered(12, 5, None),
        Intended(10, 6, "m", "desks", 3, "k"),
        Answered(12, 6, None),
    ]


def test_a_word_that_ends_its_worker_does_so_in_a_worker_alone() -> None:
    """Whoever replays what is left must live, and sees that it cannot be handled."""
    noted = MARKET.wire().actors["desks"].handlers[Note]
    context: Any = SimpleNamespace(key="d", envelope=SimpleNamespace(message_id="m"))
    with pytest.raises(Killed):
        noted(Desk(), Note(desk="d", word="w", kills=HANDLED), context)
    program = (
        "from magnetar.chaos.workloads.market import MARKET\n"
        "from magnetar.chaos.simulation.clerks import HANDLED, Desk, Note\n"
        "MARKET.wire().actors['desks'].handlers[Note](Desk(), Note(desk='d', word='w', kills=HANDLED), None)"
    )
    ended = subprocess.run([sys.executable, "-c", program], env=os.environ | {WORKS: "1"}, check=False, timeout=60)
    assert ended.returncode == -signal.SIGKILL
