"""What `test_faults` runs inside: a small cluster with workers, and one fault after the other; a line of JSON each."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from magnetar.chaos.cluster import enclosure, janitor
from magnetar.chaos.cluster.crowd import crowded
from magnetar.chaos.cluster.ground import Ground, raised
from magnetar.chaos.cluster.profile import SMALL, Role
from magnetar.chaos.cluster.shop import SHOP, TARGET
from magnetar.chaos.faults.disks import FillDisk
from magnetar.chaos.faults.links import Cut, Isolate, Reset, Ways
from magnetar.chaos.faults.processes import Kill, Pause, Restart
from magnetar.chaos.faults.striking import struck
from magnetar.chaos.faults.targets import BookiesOf, BrokerOf, Every, Leader, Named, WorkerOf
from magnetar.chaos.faults.topics import Unload

if TYPE_CHECKING:
    from magnetar.chaos.faults.fault import Fault

ORDER = ("orders", "o-17")
STORE = Every(Role.STORE)
FAULTS: tuple[Fault, ...] = (
    Cut(WorkerOf("orders/3"), Every(Role.BROKER)),
    Cut(Named(("broker-1",)), Every(Role.BOOKIE), Ways.THERE),
    Isolate(Leader(), Ways.BACK),
    Reset(Every(Role.WORKER), STORE),
    Unload(*ORDER),
    FillDisk(BookiesOf(*ORDER)),
    Pause(BrokerOf(*ORDER)),
    Pause(STORE),
    Pause(Named(("provider",))),
    Kill(WorkerOf("orders/3")),
    Kill(Every(Role.BOOKIE, 1)),
    Kill(Named(("provider",))),
    Restart(STORE),
)


def main(folder: Path) -> None:
    """All of them; then two that do not take effect."""
    with ExitStack() as opened:
        ground = opened.enter_context(raised(SMALL, SHOP, folder, "struck"))
        opened.enter_context(crowded(ground, TARGET, folder))
        tell({"took": ground.took})
        for fault in FAULTS:
            play(ground, fault)
        play(ground, Kill(Named(("bookie-3",))), beforehand=True)
        cut_and_undone(ground)


def play(ground: Ground, fault: Fault, *, beforehand: bool = False) -> None:
    """Strike it; `beforehand`: one who is dead already."""
    began = time.monotonic()
    if beforehand:
        ground.pulsar.kill("bookie-3")
    with struck(fault, ground, effect_within=0.5 if beforehand else 10.0) as blow:
        middle = time.monotonic()
    tell(
        {
            "title": blow.title,
            "targets": blow.targets,
            "effect": blow.effect.evidence,
            "effective": blow.effective is not None,
            "health": blow.health.evidence if blow.health else "",
            "well": blow.well is not None,
            "took": [middle - began, time.monotonic() - middle],
        }
    )


def cut_and_undone(ground: Ground) -> None:
    """Somebody heals it behind the fault's back."""
    force = Cut(Named(("broker-1",)), Named(("broker-2",))).inject(ground)
    ground.switch.heal_all()
    proof = force.took_effect()
    tell({"title": "undone", "effective": proof.holds, "effect": proof.evidence})


def tell(what: object) -> None:
    """A line for the test."""
    sys.stdout.buffer.write(msgspec.json.encode(what) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    where = Path(sys.argv[1])
    if enclosure.is_inside():
        main(where)
    else:
        enclosure.enter("tests.integration.cluster.striking", sys.argv[1:], janitor.command(where))
