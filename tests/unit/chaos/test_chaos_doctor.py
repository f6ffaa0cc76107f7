"""What the doctor of chaos makes of what it tried."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from magnetar.chaos.cluster.errors import CommandFailed
from magnetar.chaos.doctor.findings import Finding, NotHere, Probe, can_run
from magnetar.chaos.doctor.probing import Bench
from magnetar.chaos.doctor.telling import summary
from magnetar.chaos.doctor.tools import TOOLS

if TYPE_CHECKING:
    import pytest

GOOD, POOR = (
    Finding("cut", works=True, seen="silent", needed_for="partitions", vital=True),
    Finding("netem", works=False, seen="unknown", needed_for="loss"),
)
BAD = Finding("pause", works=False, seen="refused", needed_for="zombies", vital=True)


def _fails(problem: Exception) -> str:
    raise problem


def test_what_was_seen_is_told_and_why_not() -> None:
    """In the tool's own words, on one line, without the command that led to them."""
    assert Probe("one", "x", lambda: "seen").finding() == Finding("one", works=True, seen="seen", needed_for="x")
    for problem, said in (
        (NotHere("no\n  nft"), "no nft"),
        (CommandFailed(("tc", "-n", "name", "qdisc"), "Specified qdisc kind is unknown."), "tc said: Specified qdisc"),
        (PermissionError(1, "Operation not permitted"), "[Errno 1] Operation not permitted"),
    ):
        found = Probe("one", "x", partial(_fails, problem), vital=True).finding()
        assert (found.works, found.vital) == (False, True)
        assert found.seen.startswith(said)


def test_a_fault_that_cannot_be_made_is_no_reason_to_make_none() -> None:
    """What is vital is."""
    assert can_run([GOOD, POOR])
    assert not can_run([GOOD, BAD, POOR])
    assert summary([GOOD]) == "every fault can be made here"
    assert summary([GOOD, POOR]) == "a cluster can be made here, without netem"
    assert summary([GOOD, POOR, BAD]) == "no cluster for chaos can be made here: pause missing"


def test_a_tool_that_is_missing_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that whoever reads it can install it."""
    monkeypatch.setenv("PATH", "/nowhere")
    found = {probe.name: probe.finding() for probe in TOOLS if "tools" in probe.name}
    assert [(each.works, each.seen) for each in found.values()] == [
        (False, "ip, bridge, ss not found: install iproute2"),
        (False, "unshare, nsenter, mount not found: install util-linux"),
    ]


def test_the_page_tells_of_every_primitive() -> None:
    """By the name under which the doctor has it."""
    nothing: Any = None
    page = (Path(__file__).parents[3] / "docs" / "operations" / "chaos.md").read_text(encoding="utf-8")
    rows = page.partition("| primitive |")[2]
    probes = [*TOOLS, *Bench(nothing, nothing, nothing, nothing).probes]
    assert [probe.name for probe in probes if probe.name not in rows] == []
