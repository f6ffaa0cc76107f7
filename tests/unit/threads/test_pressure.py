"""The loop leaves the processors alone for as long as it waited for one, within bounds."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magnetar.runtime.threads.pressure import Pressure, relief

if TYPE_CHECKING:
    from pathlib import Path


@given(st.floats(0, 10))
def test_relief_is_what_was_waited_within_bounds(waited: float) -> None:
    """No more than was waited, and no more than a person would notice."""
    assert relief(waited) in {0.0, waited, 0.1}
    assert relief(waited) <= waited


@pytest.mark.parametrize(("waited", "rests"), [(0.0, 0.0), (0.0019, 0.0), (0.03, 0.03), (0.1, 0.1), (7.0, 0.1)])
def test_relief_in_figures(waited: float, rests: float) -> None:
    """What is too short is nothing, what is too long is cut."""
    assert relief(waited) == rests


def test_what_was_waited_since_the_last_look_is_told(tmp_path: Path) -> None:
    """Each wait is told once."""
    account = tmp_path / "schedstat"
    account.write_text("5000000 1000000 7\n", encoding="ascii")
    with closing(Pressure(account)) as pressure:
        assert pressure.since_last() == 0
        account.write_text("5000000 31000000 9\n", encoding="ascii")
        assert pressure.since_last() == pytest.approx(0.03)
        assert pressure.since_last() == 0


@pytest.mark.parametrize("told", ["", "0", None])
def test_a_kernel_without_an_account_gives_no_relief(tmp_path: Path, told: str | None) -> None:
    """Not Linux, or not compiled in."""
    account = tmp_path / "schedstat"
    if told is not None:
        account.write_text(told, encoding="ascii")
    with closing(Pressure(account)) as pressure:
        assert pressure.since_last() == 0


def test_a_thread_has_an_account_of_its_own() -> None:
    """The real one can be read."""
    with closing(Pressure()) as pressure:
        assert pressure.since_last() >= 0
