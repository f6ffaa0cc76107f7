"""What the janitor of an enclosure owes, and that it works nowhere else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from magnetar.chaos.cluster.janitor import Debts, command, owed

if TYPE_CHECKING:
    import pytest


@given(st.lists(st.booleans(), max_size=12), st.randoms(use_true_random=False))
def test_what_is_not_paid_is_owed_newest_first(
    tmp_path_factory: pytest.TempPathFactory, plan: list[bool], chance: Random
) -> None:
    """However debts are made and paid; a line that was cut short by a crash counts for nothing."""
    folder = tmp_path_factory.mktemp("debts")
    debts, open_now = Debts(folder), dict[int, list[str]]()
    for makes in plan:
        if makes or not open_now:
            number = debts.owe("undo", str(len(open_now)))
            open_now[number] = ["undo", str(len(open_now))]
        else:
            number = chance.choice(list(open_now))
            debts.paid(number)
            del open_now[number]
    text = (folder / "debts.jsonl").read_text() if plan else ""
    assert owed(text) == list(reversed(open_now.values()))
    assert owed(text + '{"number": 99, "un') == list(reversed(open_now.values()))


def test_it_refuses_to_tidy_up_where_others_live(tmp_path: Path) -> None:
    """It ends every process that it can see: only the first one of a namespace of its own may."""
    ran = tmp_path / "ran"
    done = subprocess.run([*command(tmp_path), "touch", str(ran)], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "must be the first one of its namespace" in done.stderr
    assert not ran.exists()
    assert sys.executable in command(tmp_path)
