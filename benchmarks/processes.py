"""What a second worker process adds: the rate of two over that of one, side by side.

Each process is a whole worker, from receivers to relay. One has all the orders, or two have half of them each: a
backlog, published before the clock starts, on an in-process bus of its own. The store of each is a SQLite file of its
own with `synchronous=FULL`, or (`postgres`) a database of its own on one PostgreSQL 18 with `fsync` and
`synchronous_commit` on, as when the store is split by shard. So two processes on SQLite share the cores, the memory and
the disk, and nothing else; two on PostgreSQL also the server, its log and its flushes.

A real broker is left out on purpose: it, its bookie and whoever publishes need cores too, and this is a question about
workers. What a second core is worth here is measured in the same rounds, by two processes of plain Python over one.
Where that is below the floor itself, and the workers are too, the verdict is *unknown* (exit status 2), never a pass.

Usage: python -m benchmarks.processes [ROUNDS] [EVENTS] [sqlite|postgres]; exit status 1 below the floor.
"""

from __future__ import annotations

import multiprocessing
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import psycopg

from benchmarks.job import events, order_app
from benchmarks.ordinary import fed
from magnetar.runtime.compose.places import EmbeddedBus, store_place
from magnetar.runtime.compose.process import tune_collector
from magnetar.runtime.compose.running import RunningWorker
from magnetar.runtime.servers.postgres import running_postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from multiprocessing.connection import Connection
    from multiprocessing.synchronize import Barrier

FLOOR = 1.6
SPINS = 3_000_000
PATIENCE = 120.0


class Job(Protocol):
    """What a process does: first gets ready, then, while the clock runs, the job, then whatever is left."""

    def __call__(self, number: int, count: int, store: str) -> tuple[Callable[[], None], Callable[[], None]]:
        """`number` of the process, `count` of its share, `store` of its own."""
        ...


class Took(NamedTuple):
    """When a process began and ended (seconds, one clock for all), and how long it had a core."""

    began: float
    ended: float
    cpu: float


def apply(number: int, count: int, store: str) -> tuple[Callable[[], None], Callable[[], None]]:
    """A worker with a backlog."""
    messages = events(count, seed=number + 1)
    broker = fed(messages)
    worker = RunningWorker(order_app().wire(), EmbeddedBus(broker), store_place(store))
    tune_collector()
    published = broker.topic("orders-events").partitions

    def run() -> None:
        worker.start()
        while sum(len(partition.log.deliveries) for partition in published) < count:
            if worker.wait(0.005):
                break

    return run, worker.drain  # which raises what has ended it, if anything has


def spin(number: int, count: int, store: str) -> tuple[Callable[[], None], Callable[[], None]]:  # noqa: ARG001 - as every job
    """Plain Python, which waits for nothing."""

    def run() -> None:
        seen: dict[int, str] = {}
        for at in range(count):
            seen[at & 1023] = str(at)

    return run, lambda: None


def _process(job: Job, number: int, count: int, store: str, start: Barrier, telling: Connection) -> None:
    run, finish = job(number, count, store)
    start.wait(PATIENCE)
    began, cpu = time.perf_counter(), time.process_time()
    run()
    took = Took(began, time.perf_counter(), time.process_time() - cpu)
    finish()
    telling.send(took)


def timed(job: Job, count: int, stores: list[str]) -> tuple[float, float]:
    """One process a store, each with an even share of `count`; how many a second, and how many cores they had."""
    spawning = multiprocessing.get_context("spawn")
    start, share = spawning.Barrier(len(stores)), count // len(stores)
    waiting: list[Connection] = []
    for number, store in enumerate(stores):
        here, there = spawning.Pipe(duplex=False)
        spawning.Process(target=_process, args=(job, number, share, store, start, there), daemon=True).start()
        there.close()  # a process that dies ends what we read
        waiting.append(here)
    took: list[Took] = [each.recv() for each in waiting]
    lasted = max(each.ended for each in took) - min(each.began for each in took)
    return share * len(stores) / lasted, sum(each.cpu for each in took) / lasted


@contextmanager
def stores(kind: str, folder: Path) -> Generator[Callable[[str, int], list[str]]]:
    """Makes the addresses of so many new stores, by a name that nobody else has."""
    if kind == "sqlite":
        yield lambda name, count: [f"sqlite:///{folder}/{name}-{number}.db" for number in range(count)]
        return
    with ExitStack() as opened:
        server = opened.enter_context(running_postgres(folder / "postgres"))
        admin = opened.enter_context(psycopg.connect(server.service_url, autocommit=True))
        base = server.service_url.rpartition("/")[0]

        def made(name: str, count: int) -> list[str]:
            names = [f"{name}_{number}" for number in range(count)]
            for each in names:
                admin.execute(f"CREATE DATABASE {each}".encode())
            return [f"{base}/{each}" for each in names]

        yield made


def verdict(ratio: float, worth: float) -> int:
    """The exit status."""
    if ratio >= FLOOR:
        return 0
    return 1 if worth >= FLOOR else 2


def main() -> int:
    """Print each round and the medians."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 40_000
    kind = sys.argv[3] if len(sys.argv) > 3 else "sqlite"
    ratios: list[float] = []
    worths: list[float] = []
    with tempfile.TemporaryDirectory() as name, stores(kind, Path(name)) as fresh:
        for number in range(1, rounds + 1):
            plain = [timed(spin, SPINS * processes, [""] * processes)[0] for processes in (1, 2)]
            (one, alone), (two, both) = (
                timed(apply, count, fresh(f"round_{number}_{processes}", processes)) for processes in (1, 2)
            )
            ratios.append(two / one)
            worths.append(plain[1] / plain[0])
            told = f"one {one:8,.0f}/s on {alone:.2f} cores   two {two:8,.0f}/s on {both:.2f} cores"
            print(f"round {number}: {told}   ratio {two / one:.2f}   plain Python {worths[-1]:.2f}")
    ratio, worth = statistics.median(ratios), statistics.median(worths)
    status = verdict(ratio, worth)
    end = ["reached", "MISSED", "unknown: two cores are worth less than that here"][status]
    spread = f"({min(ratios):.2f} to {max(ratios):.2f})"
    print(
        f"{kind}: two processes over one: median {ratio:.2f} {spread}, plain Python {worth:.2f}, floor {FLOOR}: {end}"
    )
    return status


if __name__ == "__main__":
    sys.exit(main())
