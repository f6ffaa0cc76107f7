"""What `test_faults` runs inside: a small cluster with workers, and one fault after the other; a line of JSON each."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from magnetar.chaos.cluster import enclosure, janitor
from magnetar.chaos.cluster.crowd import crowded
from magnetar.chaos.cluster.ground import Ground, raised
from magnetar.chaos.cluster.profile import SMALL, Role
from magnetar.chaos.cluster.shop import SHOP, TARGET
from magnetar.chaos.faults.backups import BackUp, GoBack
from magnetar.chaos.faults.clocks import JumpClock
from magnetar.chaos.faults.disks import FailDisk, FillDisk, FreezeDisk
from magnetar.chaos.faults.limits import LimitCpu
from magnetar.chaos.faults.links import Cut, Isolate, Reset, Ways
from magnetar.chaos.faults.power import LosePower
from magnetar.chaos.faults.processes import Kill, Pause, Restart
from magnetar.chaos.faults.rates import LimitRate
from magnetar.chaos.faults.rot import RotDisk
from magnetar.chaos.faults.striking import struck
from magnetar.chaos.faults.targets import BookiesOf, BrokerOf, Every, Leader, Named, WorkerOf
from magnetar.chaos.faults.topics import Seek, Split, Unload
from magnetar.chaos.workloads.sending import at_load
from magnetar.runtime import Client
from magnetar.runtime.servers.cluster.restarting import HUNG_SECONDS
from magnetar.runtime.servers.process import until
from magnetar.schemas.commerce import Cancel

if TYPE_CHECKING:
    from magnetar.chaos.faults.fault import Fault

ORDER = ("orders", "o-17")
STORE = Every(Role.STORE)
FAULTS: tuple[Fault, ...] = (
    Cut(WorkerOf("orders/3"), Every(Role.BROKER)),
    Cut(Named(("broker-1",)), Every(Role.BOOKIE), Ways.THERE),
    Isolate(Leader(), Ways.BACK),
    Reset(Every(Role.WORKER), STORE),
    LimitRate(BrokerOf(*ORDER), 1000),
    JumpClock(WorkerOf("orders/3"), 600.0),
    JumpClock(STORE, -600.0),
    LimitCpu(BrokerOf(*ORDER), 0.1),
    Unload(*ORDER),
    Split(*ORDER),
    Seek(*ORDER),
    FillDisk(BookiesOf(*ORDER)),
    FillDisk(STORE),
    FreezeDisk(Every(Role.BOOKIE, 1)),
    FreezeDisk(STORE),
    FailDisk(STORE),
    LosePower(BookiesOf(*ORDER)),
    LosePower(STORE),
    RotDisk(BookiesOf(*ORDER)),
    BackUp(STORE),
    GoBack(STORE),
    Pause(BrokerOf(*ORDER)),
    Pause(STORE),
    Pause(Named(("provider",))),
    Kill(WorkerOf("orders/3")),
    Kill(Every(Role.BOOKIE, 1)),
    Kill(Named(("provider",))),
    Restart(STORE),
)
NOTICED = FAULTS.index(FillDisk(BookiesOf(*ORDER)))


def main(folder: Path) -> None:
    """All of them; then two that do not take effect."""
    with ExitStack() as opened:
        ground = opened.enter_context(raised(SMALL, SHOP, folder, "struck"))
        opened.enter_context(crowded(ground, TARGET, folder))
        tell({"took": ground.took})
        fill(ground)
        for fault in FAULTS:
            play(ground, fault)
        play(ground, Kill(Named(("bookie-3",))), beforehand=True)
        cut_and_undone(ground)


def fill(ground: Ground) -> None:
    """Something that can come again: most of these faults happen while nobody orders anything."""
    with at_load(ground), closing(ground.bus.connect("customer")) as bus, closing(Client(ground.wiring, bus)) as client:
        client.send_all([(Cancel(order_id=ORDER[1]), f"cancel-{number}") for number in range(10)])


def play(ground: Ground, fault: Fault, *, beforehand: bool = False) -> None:
    """Strike it; `beforehand`: one who is dead already."""
    began = time.monotonic()
    if beforehand:
        ground.pulsar.kill("bookie-3")
    with struck(fault, ground, effect_within=0.5 if beforehand else 10.0) as blow:
        noticed = full(ground, blow.targets) if fault == FAULTS[NOTICED] else []
        middle = time.monotonic()
    tell(
        {
            "title": blow.title,
            "targets": blow.targets,
            "effect": blow.effect.evidence,
            "effective": blow.effective is not None,
            "health": blow.health.evidence if blow.health else "",
            "well": blow.well is not None,
            "noticed": noticed,
            "took": [middle - began, time.monotonic() - middle],
        }
    )


def full(ground: Ground, names: tuple[str, ...]) -> list[object]:
    """What a bookie says of itself when it has noticed, how often it was started again for it, and if it ended itself.

    Which it does when it must write before it has looked how much room there is.
    """
    station = ground.stations[names[0]]
    until(lambda: "its disk is full" in station.lacks(), 20.0)
    until(lambda: ground.pulsar.restarts(names[0]) > 0, 2 * HUNG_SECONDS)  # a supervisor that mistakes it has its time
    log = ground.pulsar.log(names[0]).read_text(encoding="utf-8", errors="replace")
    return [station.lacks(), ground.pulsar.restarts(names[0]), "Triggering shutdown of Bookie" in log]


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
