"""How long an order takes from published to committed, under half of the load that the whole can bear.

A real Pulsar with its journal synced, a PostgreSQL 18 with `fsync` and `synchronous_commit` on, one worker in a process
of its own, and this process, which publishes. First the capacity: a burst, from its first message until all of it is
committed and every event that it caused is published. Then windows of steady load at half of that, published on time
whether or not the worker keeps up. Each message is counted, the slow ones too.

*Published* is the instant that the client stamps on the message, as in the metric `magnetar_message_age_seconds`;
*due* is when the message ought to have been sent, so that what publishing itself takes, and what waits while it
stalls, is in that figure. Both end when the worker's commit has returned.

All share this machine's cores, so each window says how many of them each process had, and the whole: where none are
left, ages are mostly waiting for a core. Half of the load takes more than half of the cores, for at capacity each
commit, flush and wake-up serves more messages.

Usage: python -m benchmarks.steady [WINDOWS] [SECONDS]; reported, with no floor. Exit status 1 when anything was not
committed exactly once, or the load was not what it should have been, 2 (unknown) when others took the cores meanwhile.
"""

from __future__ import annotations

import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.job import OrderEvent, events, order_app
from magnetar.runtime import Client
from magnetar.runtime.bus.pulsar.admin import Admin
from magnetar.runtime.bus.pulsar.applying import apply, survey
from magnetar.runtime.bus.pulsar.provisioning import plan
from magnetar.runtime.compose.machine import java_home, places
from magnetar.runtime.compose.places import bus_place, store_place, wanted_of
from magnetar.runtime.compose.process import tune_collector
from magnetar.runtime.compose.running import RunningWorker
from magnetar.runtime.identity import id_of
from magnetar.runtime.servers.postgres import running_postgres
from magnetar.runtime.servers.pulsar import running_pulsar
from magnetar.runtime.worker.observer import Observer

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence
    from multiprocessing.connection import Connection

    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.port import ShardChanges, ShardName

WARM_UP, BURST, CHUNK = 3_000, 12_000, 500
PER_ORDER = 10
SHARE = 0.5
PATIENCE = 120.0
TICK = 0.01
TRUE_LOAD = 0.95
MOST_OTHERS = 0.4
SHARES = (50, 90, 99)
SECOND = 1_000_000


class Seen(NamedTuple):
    """A message that is committed: its id, and when it was published and committed (microseconds UTC)."""

    message_id: bytes
    published: int
    committed: int


class Told(NamedTuple):
    """What the worker tells: what was committed since it was last asked; how many events are out, and since when."""

    seen: list[Seen]
    relayed: int
    relayed_at: int


class Ear(Observer):
    """Hears of commits and receipts, in the loop's thread."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.seen: list[Seen] = []
        self.relayed_count, self.relayed_at = 0, 0

    def committed(self, group: Sequence[ShardChanges], at: Instant) -> None:  # noqa: ARG002 - the hook's signature
        """Right after the commit; the clock is that of the process that publishes, for it is one machine."""
        now = time.time_ns() // 1000
        self.seen += [Seen(row.message_id, row.published_at, now) for part in group for row in part.journal]

    def relayed(self, shard: ShardName, count: int, duplicates: int) -> None:  # noqa: ARG002 - the hook's signature
        """Receipts came."""
        self.relayed_count += count
        self.relayed_at = time.time_ns() // 1000

    def told(self) -> Told:
        """Once; called from another thread, which a list's swap survives."""
        seen, self.seen = self.seen, []
        return Told(seen, self.relayed_count, self.relayed_at)


def work(bus: str, admin: str, store: str, asking: Connection) -> None:
    """The worker's process: tells what it has seen whenever asked, until it is told to go."""
    ear, wiring = Ear(), order_app().wire()
    worker = RunningWorker(wiring, bus_place(bus, wiring.app, admin=admin), store_place(store), observer=ear)
    worker.start()
    while not worker.ready:
        worker.wait(0.01)
    tune_collector()
    asking.send(None)
    while asking.recv():
        asking.send(ear.told())
    worker.drain()


class Plant:
    """The worker and the way in."""

    def __init__(self, client: Client, asking: Connection, processes: Mapping[str, int]) -> None:
        """All are there. `processes`: their ids, by what they are called in the report."""
        self._client = client
        self._asking = asking
        self._processes = processes
        self.seen: list[Seen] = []
        self.sent = 0

    def publish(self, messages: Sequence[OrderEvent]) -> list[bytes]:
        """All at once; returns their ids when they are stored."""
        self.sent += len(messages)
        return [id_of(text) for text in self._client.send_all([(message, None) for message in messages])]

    def ticks(self) -> dict[str, int]:
        """For how long each process has had a core."""
        return {"machine": used_by_machine(), **used_by(self._processes)}

    def settle(self) -> int:
        """Wait until all is committed and its events are out; since when."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            self._asking.send(obj=True)
            told: Told = self._asking.recv()
            self.seen += told.seen
            if len(self.seen) >= self.sent and told.relayed >= self.sent:
                return max(told.relayed_at, self.seen[-1].committed)
            time.sleep(0.1)
        message = f"{self.sent} were sent and {len(self.seen)} committed within {PATIENCE:.0f} s"
        raise TimeoutError(message)


@contextmanager
def plant(folder: Path) -> Generator[Plant]:
    """Servers, topics, a worker that owns all shards, and a client."""
    wiring = order_app().wire()
    with ExitStack() as opened:
        pulsar = opened.enter_context(running_pulsar(folder / "pulsar", places().cache, java_home=java_home()))
        postgres = opened.enter_context(running_postgres(folder / "postgres"))
        with Admin(pulsar.admin_url) as admin:
            apply(admin, plan(wanted_of(wiring), survey(admin, wanted_of(wiring))))
        spawning = multiprocessing.get_context("spawn")
        here, there = spawning.Pipe()
        urls = (pulsar.service_url, pulsar.admin_url, postgres.service_url)
        worker = spawning.Process(target=work, args=(*urls, there), daemon=True)
        worker.start()
        there.close()  # a worker that dies ends what we read
        here.recv()
        bus = bus_place(pulsar.service_url, wiring.app).connect("client")
        client = Client(wiring, bus)
        processes = {"broker": pulsar.process.pid, "database": postgres.process.pid, "publisher": os.getpid()}
        yield Plant(client, here, {**processes, "worker": worker.pid or 0})
        client.close()
        bus.close()
        here.send(obj=False)
        worker.join(30)


def capacity(plant: Plant) -> float:
    """Messages a second, once all is warm."""
    burst(plant, WARM_UP)
    return burst(plant, BURST)


def burst(plant: Plant, count: int) -> float:
    """As fast as it goes; messages a second."""
    made = events(count, seed=count)
    began = time.time_ns() // 1000
    for start in range(0, count, CHUNK):
        plant.publish(made[start : start + CHUNK])
    return count / (plant.settle() - began) * SECOND


class Window(NamedTuple):
    """Steady load for a while: ages in milliseconds, ascending; messages a second; cores that each had."""

    published: list[float]
    due: list[float]
    rate: float
    cores: dict[str, float]

    def __str__(self) -> str:
        """A line."""
        cores = ", ".join(f"{name} {number:.2f}" for name, number in self.cores.items())
        return f"{self.rate:,.0f}/s; published {line(self.published)}; due {line(self.due)} ms; cores: {cores}"


def steady(plant: Plant, rate: float, seconds: float, number: int) -> Window:
    """Publish on time, then wait for all of it."""
    messages = events(round(rate * seconds / PER_ORDER) * PER_ORDER, seed=number)
    first, due, before = len(plant.seen), dict[bytes, int](), plant.ticks()
    began = time.time_ns() // 1000
    while len(due) < len(messages):
        time.sleep(TICK - (time.time_ns() // 1000 - began) / SECOND % TICK)
        owed = min(len(messages), int((time.time_ns() // 1000 - began) / SECOND * rate) + 1)
        chunk = range(len(due), owed)
        ids = plant.publish(messages[chunk.start : chunk.stop])
        due.update({each: began + round(at / rate * SECOND) for at, each in zip(chunk, ids, strict=True)})
    took = (time.time_ns() // 1000 - began) / SECOND
    after = plant.ticks()
    plant.settle()
    seen = plant.seen[first:]
    return Window(
        published=sorted((each.committed - each.published) / 1000 for each in seen),
        due=sorted((each.committed - due[each.message_id]) / 1000 for each in seen),
        rate=len(messages) / took,
        cores={name: (after[name] - before[name]) / os.sysconf("SC_CLK_TCK") / took for name in before},
    )


def others(window: Window) -> float:
    """Cores that went to none of ours: to the kernel, to somebody else's programs, or to another machine."""
    return 2 * window.cores["machine"] - sum(window.cores.values())


def used_by_machine() -> int:
    """For how long its cores have been busy, in ticks; those that another machine took from this one count too."""
    numbers = [int(text) for text in Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()[1:9]]
    return sum(numbers) - numbers[3] - numbers[4]


def used_by(processes: Mapping[str, int]) -> dict[str, int]:
    """For how long each of them, with those that it has started and that are not named, has had a core, in ticks."""
    names = {pid: name for name, pid in processes.items()}
    used = dict.fromkeys(processes, 0)
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended meanwhile
        name = names.get(int(path.parent.name)) or names.get(int(fields[1]))
        if name is not None:
            used[name] += int(fields[11]) + int(fields[12])
    return used


def percentile(ages: Sequence[float], share: int) -> float:
    """Of ascending ages."""
    return ages[min(len(ages) - 1, len(ages) * share // 100)]


def line(ages: Sequence[float]) -> str:
    """The percentiles of one window."""
    return " ".join(f"p{share} {percentile(ages, share):.1f}" for share in SHARES)


def summary(name: str, windows: Sequence[Sequence[float]]) -> str:
    """The median of the windows' percentiles, and how far they are apart."""
    told: list[str] = []
    for share in SHARES:
        each = [percentile(ages, share) for ages in windows]
        told.append(f"p{share} {statistics.median(each):.1f} ms ({min(each):.1f} to {max(each):.1f})")
    return f"{name} → committed: " + ", ".join(told)


def main() -> int:
    """Print the capacity, each window and the summary."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 6
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 10.0
    with tempfile.TemporaryDirectory() as name, plant(Path(name)) as whole:
        able = capacity(whole)
        rate = SHARE * able
        print(f"capacity {able:,.0f} messages/s; load {rate:,.0f}/s, {count} windows of {seconds:.0f} s")
        windows: list[Window] = []
        for number in range(1, count + 1):
            window = steady(whole, rate, seconds, number)
            windows.append(window)
            print(f"window {number}: {window}")
        once = len(whole.seen) == len({each.message_id for each in whole.seen}) == whole.sent
    print(summary("published", [window.published for window in windows]))
    print(summary("due", [window.due for window in windows]))
    print(f"{whole.sent:,} messages, each committed {'once' if once else 'NOT ONCE'}")
    taken = statistics.median(map(others, windows))
    print(f"cores that were somebody else's: {taken:.2f}{': unknown, run it alone' if taken > MOST_OTHERS else ''}")
    if not once or min(window.rate for window in windows) < TRUE_LOAD * rate:
        return 1
    return 2 if taken > MOST_OTHERS else 0


if __name__ == "__main__":
    sys.exit(main())
