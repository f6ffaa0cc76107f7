"""The report on parking: which orders come, and what is made of what was seen."""

from __future__ import annotations

import statistics
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magnetar.chaos.parking import judging
from magnetar.chaos.parking.judging import Age, Dead, Seen, Verdict
from magnetar.chaos.parking.plan import NOTES, Lot, Sizes, letters
from magnetar.chaos.parking.telling import main
from magnetar.chaos.simulation.clerks import ATTEMPTS
from magnetar.runtime.instant import SECOND

SIZES = Sizes(orders=2_000, windows=4, seconds=10.0)
PLANNED = letters(SIZES, 7)
POISON = sorted({letter.note.desk for letter in PLANNED if letter.lot is Lot.POISON})
BEGAN = 1_000 * SECOND


def seen() -> Seen:
    """All went as it should: each note was applied 0.1 s after it was meant, and poison is dead."""
    return Seen(
        letters=PLANNED,
        began=BEGAN,
        applied={letter.message_id: BEGAN + round((letter.at + 0.1) * SECOND) for letter in PLANNED},
        dead=[Dead(desk, ATTEMPTS) for desk in POISON],
        peaks=[80, 81, 80, 82, 81, 80],
        wrong=[],
    )


def kept(what: Seen) -> list[bool]:
    """Which lines of the report are."""
    return [verdict.kept for verdict in verdicts(what)]


def verdicts(what: Seen) -> list[Verdict]:
    """The lines of the report."""
    return judging.verdicts(what, judging.windows(judging.ages(what), SIZES))


@given(st.integers(), st.integers(1, 400), st.integers(1, 5))
def test_the_shares_are_of_all_orders_and_come_in_every_other_window(seed: int, orders: int, pairs: int) -> None:
    """Every order has all of its notes, in order; without failures means none."""
    sizes = Sizes(orders=orders, windows=2 * pairs, seconds=1.0)
    planned = letters(sizes, seed)
    assert planned == letters(sizes, seed)
    assert len({letter.message_id for letter in planned}) == NOTES * orders
    assert [letter.at for letter in planned] == sorted(letter.at for letter in planned)
    assert all(sizes.fails(letter.window) for letter in planned if letter.lot is not Lot.HEALTHY)
    assert all(
        (letter.lot is Lot.HEALTHY) >= (letter.note.fails == 0) or letter.message_id[-1] != "1" for letter in planned
    )


def test_one_in_a_hundred_is_poison_and_one_in_twenty_is_flaky() -> None:
    """Of all orders, although they come in half of the windows."""
    planned = letters(Sizes(), 1)
    of = {lot: sum(letter.lot is lot for letter in planned) / len(planned) for lot in Lot}
    assert of[Lot.POISON] == pytest.approx(0.01, abs=0.003)
    assert of[Lot.FLAKY] == pytest.approx(0.05, abs=0.006)


def test_all_is_kept_when_all_went_well() -> None:
    """And no line is missing."""
    assert kept(seen()) == [True] * 5


@pytest.mark.parametrize(
    ("line", "changed"),
    [
        (0, replace(seen(), wrong=["per-key order: …"])),
        (1, replace(seen(), dead=seen().dead[1:])),
        (1, replace(seen(), dead=[*seen().dead, Dead(POISON[0], ATTEMPTS)])),
        (1, replace(seen(), dead=[Dead(desk, ATTEMPTS - 1) for desk in POISON])),
        (2, replace(seen(), dead=[*seen().dead, Dead("healthy-1", 1)])),
        (4, replace(seen(), peaks=[80, 80, 80, 90, 95, 95])),
    ],
)
def test_each_line_is_broken_by_what_it_is_about(line: int, changed: Seen) -> None:
    """A letter that is missing, twice, of too few failures, or of a healthy order; memory that grows; a violation."""
    assert not kept(changed)[line]


def test_healthy_orders_that_wait_beside_failing_ones_are_noticed() -> None:
    """A fiftieth of the messages in the windows with failures took a second longer."""
    slow = {
        letter.message_id: SECOND
        for number, letter in enumerate(PLANNED)
        if SIZES.fails(letter.window) and not number % 50
    }
    applied = {text: at + slow.get(text, 0) for text, at in seen().applied.items()}
    verdict = verdicts(replace(seen(), applied=applied))[3]
    assert not verdict.kept
    assert verdict.seen.startswith("11.00")


@given(st.lists(st.floats(0.001, 100), min_size=4, max_size=40))
def test_windows_that_are_alike_have_the_ratio_one(values: list[float]) -> None:
    """Whatever the ages are."""
    found = judging.windows([Age(window, value) for window in range(4) for value in values], SIZES)
    assert statistics.median(judging.ratios(found)) == 1.0
    assert all(window.p50 <= window.p99 <= max(values) for window in found)


def test_the_command_wants_whole_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be read is refused before anything starts."""
    with pytest.raises(SystemExit):
        main(["--orders", "many"])
    assert "invalid int value" in capsys.readouterr().err
