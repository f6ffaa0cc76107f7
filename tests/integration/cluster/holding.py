"""What `test_janitor` runs inside: it lays out a network, harms it, says so, and never undoes it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from magnetar.chaos.cluster import enclosure, janitor
from magnetar.chaos.cluster.disks import Disks
from magnetar.chaos.cluster.estate import Estate
from magnetar.chaos.cluster.hearing import Hearing
from magnetar.chaos.cluster.janitor import Debts
from magnetar.chaos.cluster.profile import SMALL
from magnetar.chaos.cluster.switch import Switch
from magnetar.chaos.faults.disks import FreezeDisk
from magnetar.chaos.faults.targets import Named


@dataclass
class Place:
    """As much of a ground as there is."""

    disks: Disks
    profile: Any = SMALL


def main(folder: Path, *, frozen: bool) -> None:
    """A cut, a mount, a frozen process and a debt, in force for ever; perhaps a frozen disk, and who writes there."""
    estate, debts = Estate("held", folder), Debts(folder)
    switch, broker, bookie = Switch(estate, SMALL.nodes), SMALL.node("broker-1"), SMALL.node("bookie-1")
    disks = Disks(estate, debts, {bookie.name: folder / "bookie"})
    disks.mount(bookie)
    sleeper = subprocess.Popen([*switch.prefix(bookie), "sleep", "1000"])
    debts.owe("touch", str(folder / "undone"))
    with Hearing(switch, SMALL.nodes) as hearing:
        switch.cut([(broker, bookie)])
        assert hearing.heard([(broker, bookie), (bookie, broker)]) == {(bookie, broker)}
    while not estate.processes(bookie):
        time.sleep(0.01)
    sleeper.send_signal(signal.SIGSTOP)
    if frozen:
        place: Any = Place(disks)
        FreezeDisk(Named((bookie.name,))).inject(place)
    sys.stdout.write("held\n")
    sys.stdout.flush()
    signal.pause()


if __name__ == "__main__":
    where = Path(sys.argv[1])
    if enclosure.is_inside():
        main(where, frozen=sys.argv[2:] == ["frozen"])
    else:
        enclosure.enter("tests.integration.cluster.holding", sys.argv[1:], janitor.command(where))
