"""From `Client.send` to applied and committed, one message at a time, on a real Pulsar and a SQLite file.

Reported, not asserted. Usage: python -m benchmarks.latency [MESSAGES]
"""

from __future__ import annotations

import queue
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.job import events, order_app
from magnetar.runtime import Client
from magnetar.runtime.bus.pulsar.admin import Admin
from magnetar.runtime.bus.pulsar.applying import apply, survey
from magnetar.runtime.bus.pulsar.provisioning import plan
from magnetar.runtime.compose.machine import java_home, places
from magnetar.runtime.compose.places import bus_place, store_place, wanted_of
from magnetar.runtime.compose.running import RunningWorker
from magnetar.runtime.servers.pulsar import running_pulsar
from magnetar.runtime.worker.observer import Observer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.port import ShardChanges

WARM_UP = 50


class Commits(Observer):
    """Tells when a message has been committed."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.seen: queue.SimpleQueue[tuple[int, float]] = queue.SimpleQueue()

    def committed(self, group: Sequence[ShardChanges], at: Instant) -> None:  # noqa: ARG002 - the hook's signature
        """In the loop's thread, right after the commit."""
        count = sum(len(changes.journal) for changes in group)
        if count:
            self.seen.put((count, time.perf_counter()))


def main() -> None:
    """Start a broker, send one at a time, print the distribution."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    wiring = order_app(partitions=4).wire()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with running_pulsar(folder / "pulsar", places().cache, java_home=java_home()) as server:
            with Admin(server.admin_url) as admin:
                wanted = wanted_of(wiring)
                apply(admin, plan(wanted, survey(admin, wanted)))
            bus, commits = bus_place(server.service_url, wiring.app, admin=server.admin_url), Commits()
            worker = RunningWorker(wiring, bus, store_place(f"sqlite:///{folder}/latency.db"), observer=commits)
            worker.start()
            while not worker.ready:
                worker.wait(0.01)
            client_bus = bus.connect("client")
            client = Client(wiring, client_bus)
            took: list[float] = []
            for message in events(count + WARM_UP):
                start = time.perf_counter()
                client.send(message)
                took.append(commits.seen.get(timeout=10)[1] - start)
            client.close()
            client_bus.close()
            worker.drain()
    took = sorted(took[WARM_UP:])
    shown = {f"p{share}": took[min(len(took) - 1, len(took) * share // 100)] * 1000 for share in (50, 90, 99)}
    print(
        f"send → committed, {count} messages one at a time: "
        + ", ".join(f"{name} {ms:.1f} ms" for name, ms in shown.items())
    )


if __name__ == "__main__":
    main()
