"""Virtual time: what is put on the agenda happens when it is due, and says whether workers may see anything of it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from magnetar.chaos.simulation.agenda import START, Agenda
from magnetar.chaos.simulation.strikes import IN_WAIT, STRIKES
from magnetar.runtime.instant import micros

if TYPE_CHECKING:
    from collections.abc import Sequence

DELAYS = st.lists(st.tuples(st.integers(0, 50), st.booleans()), max_size=20)


@given(DELAYS)
def test_everything_happens_in_order_and_says_whether_it_touches_anybody(delays: Sequence[tuple[int, bool]]) -> None:
    """By time, and what is for the same instant as it was put there."""
    agenda, done = Agenda(), list[int]()
    for number, (delay, aside) in enumerate(delays):
        put = agenda.aside if aside else agenda.after
        put(delay / 10, partial(done.append, number))
    seen = list[tuple[int, bool]]()
    while (at := agenda.next()) is not None:
        assert not agenda.due or at <= agenda.now
        agenda.now = max(agenda.now, at)
        assert agenda.due
        touching = agenda.act()
        seen.append((done[-1], not touching))
        assert agenda.now == START + micros(delays[done[-1]][0] / 10)
    order = sorted(range(len(delays)), key=lambda number: delays[number][0])
    assert seen == [(number, delays[number][1]) for number in order]


def test_nothing_is_due_before_its_time() -> None:
    """The clock moves only when it is told to."""
    agenda = Agenda()
    agenda.aside(0.5, lambda: None)
    assert not agenda.due
    agenda.now += micros(0.5)
    assert agenda.due


def test_what_lies_in_wait_is_a_kind_of_fault() -> None:
    """A kind that was renamed would wake everybody again, and nobody would notice."""
    assert set(STRIKES) > IN_WAIT
