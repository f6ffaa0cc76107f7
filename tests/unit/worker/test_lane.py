"""A shard's lane settles by contiguous prefix, whatever order receipts come in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from magnetar.runtime.store.port import OutboxRow
from magnetar.runtime.worker.lane import Lane


def row(number: int) -> OutboxRow:
    """A row of the lane."""
    return OutboxRow("a/0", number, "t", 0, "k", b"", "{}")


@st.composite
def receipts(draw: st.DrawFn) -> tuple[int, int, list[int]]:
    """Where a lane starts, how many rows it has, and the order in which some of them are confirmed."""
    start, count = draw(st.integers(0, 1000)), draw(st.integers(0, 30))
    order = draw(st.permutations(range(start + 1, start + count + 1)))
    return start, count, order[: draw(st.integers(0, count))]


@given(receipts())
def test_settled_is_the_longest_confirmed_prefix(given: tuple[int, int, list[int]]) -> None:
    """Every row up to `settled` has its receipt, the next one has not, and nothing is counted twice."""
    start, count, order = given
    lane = Lane(start, start, bound=10, deleted=start)
    lane.extend(row(number) for number in range(start + 1, start + count + 1))
    for at, number in enumerate(order):
        lane.confirm(number)
        known = set(order[: at + 1])
        assert set(range(start + 1, lane.settled + 1)) <= known
        assert lane.settled + 1 not in known
        assert lane.confirmed == {each for each in known if each > lane.settled}
    assert lane.unsettled == start + count - lane.settled
    assert lane.full == (lane.unsettled >= 10)
    assert lane.deletable == ((start, lane.settled) if lane.settled > start else None)


def test_a_partial_lane_is_full() -> None:
    """While the store holds more rows than memory, the shard takes nothing in, however few are unsettled."""
    assert Lane(0, 0, bound=10, partial=True).full
    assert not Lane(0, 0, bound=10).full
