"""The process that supervises a cluster which lives on between commands; run as a module, with its directory.

It starts members again and does nothing else: whoever brings the cluster down ends it first, and then finds the members
by their own records. It takes over members that run, so it may be killed and started again at any time.
"""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import msgspec

from magnetar.runtime.servers.cluster.plan import kept
from magnetar.runtime.servers.cluster.record import ROLES, ClusterLayout
from magnetar.runtime.servers.cluster.server import supervisor_of
from magnetar.runtime.servers.errors import StateUnreadable
from magnetar.runtime.servers.record import write_state

if TYPE_CHECKING:
    from magnetar.runtime.servers.cluster.supervisor import Supervisor

_LOOK_SECONDS = 0.1


class Told(msgspec.Struct, frozen=True):
    """What the supervisor tells others of each member: how often it was started again, and why it cannot be."""

    restarts: dict[str, int]
    problems: dict[str, str]


def main(data: Path) -> int:
    """Supervise until SIGTERM."""
    layout = ClusterLayout(data)
    address = layout.read_address()
    if address is None:
        raise StateUnreadable(layout.address, "it is missing")
    over = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        over.set()

    signal.signal(signal.SIGTERM, end)
    supervisor = supervisor_of(kept(data), layout, address)
    supervisor.want(*ROLES)
    told = None
    while not over.wait(_LOOK_SECONDS):
        supervisor.step()
        if (now := _told(supervisor)) != told:
            write_state(layout.restarts, now)
            told = now
    return 0


def _told(supervisor: Supervisor) -> Told:
    return Told(
        restarts={name: supervisor.life(name).restarts for name in ROLES},
        problems={name: problem for name in ROLES if (problem := supervisor.problem(name))},
    )


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
