"""`magnetar chaos doctor` on this machine."""

from __future__ import annotations

import json
import subprocess
import sys

PROGRAM = "from magnetar.runtime.cli import main; main()"
EVERYWHERE = {"enclosure", "cut, one way", "pause", "full disk"}


def test_it_tries_everything_and_says_what_can_run(enclosures: None) -> None:
    """Where namespaces are allowed a cluster can be made, and what needs nothing but them works."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "chaos", "doctor", "--json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    said = json.loads(done.stdout)
    works = {each["name"]: each["works"] for each in said["primitives"]}
    assert (done.returncode, said["can_run"]) == (0, True), said
    assert {name for name in EVERYWHERE if works[name]} == EVERYWHERE
    assert {"power loss", "loss and ports (nft)", "limits", "Java", "PostgreSQL"} <= set(works)
    assert all(each["seen"] and each["needed_for"] for each in said["primitives"])
