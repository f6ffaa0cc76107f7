"""The place in which the takeover report runs: its cuts cut, and nothing of it is left."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from magnetar.chaos.cluster import enclosure
from magnetar.chaos.takeover.netting import Loopback, Side

ROOT = Path(__file__).parents[3]
PROGRAM = (
    "import sys; from magnetar.chaos.cluster import enclosure;"
    "sys.exit(enclosure.enter('tests.integration.takeover.inside', []))"
)


def interfaces() -> set[str]:
    """Names of all interfaces of this machine's own network."""
    return {path.name for path in Path("/sys/class/net").iterdir()}


def test_a_cut_is_silence_on_one_side_of_one_worker_and_nothing_is_left_behind() -> None:
    """Where it is not allowed, the report has a reason to give instead."""
    why = enclosure.why_not()
    if why:
        assert Loopback(why).why_uncut == why
        return
    before = interfaces()
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    yes = "yes yes yes"
    assert [line.strip() for line in done.stdout.splitlines()] == [
        f"{yes} {yes}",
        f"silence yes yes {yes}",
        f"{yes} {yes}",
    ]
    assert interfaces() == before
    assert not Path("/run/netns/worker-1").exists()


def test_where_nothing_can_be_cut_everything_is_on_the_loopback_interface() -> None:
    """Each worker at a port of its own."""
    network = Loopback("no namespaces")
    assert {network.host(side) for side in Side} == {"127.0.0.1"}
    assert len({network.berth(number).listen for number in range(1, 9)}) == 8
