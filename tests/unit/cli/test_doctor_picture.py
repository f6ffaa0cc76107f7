"""The doctor's picture holds every fact of what is wrong, the worst first, and fits its terminal."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from magnetar.runtime.cli.doctor_picture import picture
from magnetar.runtime.operate.doctor import Finding, Severity

DANGER = Finding("message-ttl", "namespace n", Severity.DANGER, "60", "0", "it is lost", "R10", ("POST x 0", "PUT y"))
ADVICE = Finding("broker-session", "broker b", Severity.ADVICE, "30000", "at most 10000", "slow", "R32", ("set it",))
WELL = Finding("clocks", "store", Severity.OK, "no difference", "within 1 s", "timers", "R26", ())


def drawn(*findings: Finding, width: int = 120, everything: bool = False) -> str:
    """As a terminal of that width shows it."""
    console = Console(file=StringIO(), width=width, highlight=False, markup=False)
    console.print(picture(findings, width, everything=everything))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_what_is_wrong_is_told_whole() -> None:
    """Found, wanted, why with its rule, and each step of the change on a line of its own."""
    lines = [" ".join(line.split()) for line in drawn(WELL, ADVICE, DANGER).splitlines()]
    assert lines[:6] == [
        "danger namespace n message-ttl",
        "found 60",
        "wanted 0",
        "why it is lost (R10)",
        "change POST x 0",
        "PUT y",
    ]
    assert lines[7].startswith("advice broker b")
    assert lines[-1] == "1 danger, 1 of advice, 1 well"


def test_what_is_well_is_listed_when_asked_for() -> None:
    """Else it is counted."""
    assert "no difference" not in drawn(WELL)
    for width in (120, 60):
        [line] = [line for line in drawn(WELL, everything=True, width=width).splitlines() if "no difference" in line]
        assert line.startswith("ok  clocks")


@pytest.mark.parametrize("width", [140, 70, 40])
def test_it_fits_its_terminal(width: int) -> None:
    """However narrow."""
    shown = drawn(DANGER, ADVICE, WELL, width=width, everything=True)
    assert max(len(line.rstrip()) for line in shown.splitlines()) <= width
