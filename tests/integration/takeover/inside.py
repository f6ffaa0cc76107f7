"""What `test_enclosure` runs inside: it prints whom a worker's place reaches, before, during and after a cut."""

from __future__ import annotations

import socket
import subprocess
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

from magnetar.chaos.takeover.netting import Bridges, Side

if TYPE_CHECKING:
    from magnetar.chaos.cluster.crew import Berth

PROBE = """
import socket, sys
for host in sys.argv[2:]:
    try:
        socket.create_connection((host, int(sys.argv[1])), 0.5).close()
        print("yes", end=" ")
    except TimeoutError:
        print("silence", end=" ")
"""
PORT = 4711


def main() -> int:
    """Cut the broker's side of one of two workers."""
    network = Bridges()
    berths = [network.berth(number) for number in (1, 2)]
    hosts = [network.host(side) for side in Side]
    with ExitStack() as open_now:
        for host in hosts:
            listener = open_now.enter_context(socket.create_server((host, PORT)))
            listener.listen(50)
        look(berths, hosts)
        network.cut(1, Side.BROKER)
        look(berths, hosts)
        network.heal(1, Side.BROKER)
        look(berths, hosts)
    return 0


def look(berths: list[Berth], hosts: list[str]) -> None:
    """One line: whom the first worker reaches, and whom the second."""
    for berth in berths:
        subprocess.run([*berth.prefix, sys.executable, "-c", PROBE, str(PORT), *hosts], check=True)
    print(flush=True)  # noqa: T201 - what the test reads


if __name__ == "__main__":
    sys.exit(main())
