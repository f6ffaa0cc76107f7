"""Asks everything: the machine itself, and, in an enclosure that is entered by a process of its own, what it allows."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from magnetar.chaos.cluster import enclosure, janitor
from magnetar.chaos.cluster.estate import Estate
from magnetar.chaos.cluster.hearing import Hearing
from magnetar.chaos.cluster.switch import Switch
from magnetar.chaos.doctor.findings import Finding, Probe
from magnetar.chaos.doctor.probing import ONE, OTHER, Bench
from magnetar.chaos.doctor.tools import TOOLS

if TYPE_CHECKING:
    from collections.abc import Sequence

_MODULE = "magnetar.chaos.doctor.asking"
_SECONDS = 60.0


def examine() -> list[Finding]:
    """Everything. Blocks for some seconds; leaves nothing behind."""
    tools = [probe.finding() for probe in TOOLS]
    why = enclosure.why_not()
    place = Probe("enclosure", "everything", lambda: "network, mounts and processes of one's own", vital=True)
    return [*tools, place.failed(why)] if why else [*tools, place.finding(), *_inside()]


def _inside() -> Sequence[Finding]:
    with tempfile.TemporaryDirectory(prefix="magnetar-doctor-") as folder:
        done = subprocess.run(  # noqa: S603 - our own module
            [sys.executable, "-m", _MODULE, folder], capture_output=True, text=True, check=False, timeout=_SECONDS
        )
    if done.returncode == 0:
        return msgspec.json.decode(done.stdout, type=list[Finding])
    said = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
    return [Probe("switch", "everything", str, vital=True).failed(said)]


def main(folder: Path) -> int:
    """Inside: lay out two nodes, try everything, print it as JSON."""
    estate = Estate("doctor", folder)
    switch = Switch(estate, (ONE, OTHER))
    with Hearing(switch, (ONE, OTHER)) as hearing:
        bench = Bench(switch, hearing, estate, janitor.Debts(folder))
        found = [probe.finding() for probe in bench.probes]
    sys.stdout.write(msgspec.json.encode(found).decode())
    return 0


if __name__ == "__main__":
    if not enclosure.is_inside():
        enclosure.enter(_MODULE, sys.argv[1:], janitor.command(Path(sys.argv[1])))
    sys.exit(main(Path(sys.argv[1])))
