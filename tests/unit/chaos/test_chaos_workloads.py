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
from magnetar.chaos.scenarios.spec import Burst, Load
from magnetar.chaos.simulation.clerks import ALWAYS, HANDLED, Desk, Note
from magnetar.chaos.simulation.deaths import Killed
from magnetar.chaos.takeover.load import Published
from magnetar.chaos.takeover.reading import events_of
from magnetar.chaos.workloads.elder import ELDER, Note1
from magnetar.chaos.workloads.market import MARKET, WORKS
from magnetar.chaos.workloads.pace import Pace
from magnetar.chaos.workloads.plan import Sent, letters
from magnetar.schemas import Kept
from magnetar.schemas.commerce import Place

if TYPE_CHECKING:
    from collections.abc import Sequence

ILL = (4.0, 8.0)
BURSTS = st.lists(
    st.builds(Burst, times=st.floats(1.5, 4), at=st.floats(0, 6), lasts=st.floats(0.5, 3)), max_size=2
).map(tuple)
LOADS = st.builds(
    Load,
    orders=st.floats(0.5, 20),
    clicks=st.floats(0, 1),
    appends=st.floats(0.5, 30),
    lists=st.integers(1, 12),
    poison=st.integers(0, 3),
    killers=st.integers(0, 2),
    hot=st.floats(0, 1),
    timers=st.floats(0, 5),
    older=st.floats(0, 1),
    bursts=BURSTS,
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
        if isinstance(each.message, Note | Note1) and ".list-" in each.key and not each.copy:
            words.setdefault(each.key, []).append(each.message.word)
    assert all(found == list(map(str, range(len(found)))) for found in words.values())


def test_one_list_gets_its_share() -> None:
    """Of all appends, evenly over time."""
    appends = [each for each in letters(Load(hot=0.6, clicks=0), 50.0, "x", 1, ILL) if each.op == "append"]
    for half in (appends[:250], appends[250:]):
        assert sum(each.key == "x.list-hot" for each in half) == 150


def test_a_list_is_of_one_release() -> None:
    """Customers of two cannot keep each other's order; a share of the lists is of the one before."""
    plan = [each for each in letters(Load(older=0.25, lists=8), 10.0, "x", 1, ILL) if each.op == "append"]
    releases = {each.key: {other.older for other in plan if other.key == each.key} for each in plan}
    assert sorted(map(len, releases.values())) == [1] * 8
    assert sum(True in found for found in releases.values()) == 2


def test_what_a_release_behind_sends_is_read_for_what_it_says() -> None:
    """Under the schema of that release, which is not today's, by today's reader."""
    elder, now = (app.wire().topics["desks"].codec for app in (ELDER, MARKET))
    assert elder.schema.fingerprint != now.schema.fingerprint
    said = now.decode(elder.encode(Note1(desk="d", word="w", echoes=True)), elder.schema, Kept("desks", "m"))
    assert said == Note(desk="d", word="w", echoes=True)


@given(BURSTS, st.floats(0, 60))
def test_a_burst_brings_so_much_more_while_it_lasts(bursts: tuple[Burst, ...], at: float) -> None:
    """Work comes in order, none is left out, and before and after it all is as usual."""
    pace = Pace.of(Load(bursts=bursts), 10.0)
    assert pace.at(pace.work(at)) == pytest.approx(at, abs=1e-6)
    assert pace.work(at) >= at
    assert pace.work(min(at, 10.0)) == min(at, 10.0)
    whole = sum(each.lasts * (each.times - 1) for each in bursts)
    assert pace.work(60.0) - pace.work(30.0) == pytest.approx(30.0)
    assert pace.work(60.0) == pytest.approx(60.0 + whole)


def test_a_burst_is_of_orders_appends_and_timers() -> None:
    """Four times as many, for its time."""
    load = Load(
        orders=10, appends=20, timers=5, clicks=0, bursts=(Burst.model_validate({"times": 4, "at": 2, "for": 5}),)
    )
    plan = letters(load, 30.0, "x", 1, ILL)
    for op, rate in (("place", 10), ("append", 20)):
        inside = sum(ILL[0] + 2 <= each.at < ILL[0] + 7 for each in plan if each.op == op)
        assert inside == pytest.approx(rate * 5 * 4, abs=2)
        assert sum(20 <= each.at < 25 for each in plan if each.op == op) == pytest.approx(rate * 5, abs=2)


@given(st.integers(0, 9))
def test_a_timer_has_a_desk_of_its_own_and_some_are_hushed_at_about_that_time(seed: int) -> None:
    """The rest ring undisturbed."""
    plan = [each for each in letters(Load(timers=4, clicks=0), 30.0, "x", seed, ILL) if each.op == "timer"]
    sets = {each.key: each for each in plan if each.due is not None}
    hushes = [each for each in plan if each.due is None]
    assert len(sets) == 120
    assert 10 < len(hushes) < 60
    for hush in hushes:
        due = sets[hush.key].due
        assert due is not None
        assert abs(hush.at - due) <= 0.31


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
