"""100,000 dead letters: counted by cause, and replayed; by the commands that a person types, on PostgreSQL.

The letters are those of 20,000 keys, five each, one in a hundred of which fails whatever is done; a worker of 16 shards
on PostgreSQL 18 with `fsync` on, and an in-process bus, is in this process. First `magnetar dlq groups`. Then a replay
of what cannot succeed, which has to stop by itself. Then one of all the others, ten of them first, at a rate; its
process is killed with SIGKILL half-way, and another one resumes it. At the end each key must have its five messages in
order, applied once; and each that cannot succeed must be dead still.

Usage: python -m benchmarks.letters [LETTERS] [RATE]. Exit status 1 when anything was applied twice, out of order, or
not at all, a count took more than two seconds, or a replay went on by less than 200 a second (floors: `LEAST_RATE`).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from magnetar.runtime import Actor, App, Command, Context, Key, PermanentError, Policy, Retry, State, replace
from magnetar.runtime.bus.memory import Broker
from magnetar.runtime.compose.places import EmbeddedBus, provision_embedded, store_place
from magnetar.runtime.compose.process import tune_collector
from magnetar.runtime.compose.running import RunningWorker
from magnetar.runtime.identity import mint, to_text
from magnetar.runtime.routing import partition_of
from magnetar.runtime.servers.postgres import running_postgres
from magnetar.runtime.store.parking import DeadLetter
from magnetar.runtime.store.port import JournalRow, ShardChanges, Taker
from magnetar.runtime.store.views import Which
from magnetar.runtime.threads.loop import wall_clock
from magnetar.schemas import Kept, contract_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from magnetar.runtime.compose.places import StorePlace
    from magnetar.runtime.store.port import Store
    from magnetar.runtime.store.views import Views

LETTERS, RATE, EACH, BAD, CANARY = 100_000, 1_000.0, 5, 100, 10
MOST_SECONDS, LEAST_RATE = 2.0, 200.0
PARTITIONS, CHUNK, PATIENCE = 16, 2_000, 120.0
GOOD_CAUSE, BAD_CAUSE = "600d", "bad0"


class Add(Command):
    """Add a number to what is there; a negative one never can be."""

    key: Key
    number: int


class Sum(State):
    """The numbers, in order."""

    numbers: tuple[int, ...] = ()


sums = Actor("sums", Sum, policy=Policy(partitions=PARTITIONS, retry=Retry(afterwards="skip")))


@sums.handles
def add(sum_: Sum, message: Add, context: Context) -> Sum:  # noqa: ARG001 - what a handler is given
    """In order."""
    if message.number < 0:
        text = f"{message.number} cannot be added"
        raise PermanentError(text)
    return replace(sum_, numbers=(*sum_.numbers, message.number))


app = App("letters", sums)


def letters(count: int) -> Iterator[tuple[DeadLetter, JournalRow]]:
    """So many dead letters, with their journal rows: the first of each key died first; some keys' cannot succeed."""
    codec, kind, now = app.wire().topics["sums"].codec, contract_name(Add), wall_clock()
    for number in range(count):
        turn, key = divmod(number, max(1, count // EACH))
        bad = not key % BAD
        name, at = f"k-{key}", now - count + number
        message_id, shard = mint(at, os.urandom), f"sums/{partition_of(name, PARTITIONS)}"
        body = codec.encode(Add(key=name, number=-1 - turn if bad else turn))
        text, cause = (f"{-1 - turn} cannot be added", BAD_CAUSE) if bad else (f"no route to 10.0.0.{turn}", GOOD_CAUSE)
        origin = (kind, codec.schema.fingerprint, body, shard, f"1:{number}:-1", to_text(message_id), "", at, at)
        letter = DeadLetter(
            "sums", message_id, shard, name, *origin, "{}", "", "OSError", text, cause * 4, 0, 0, at, "dead"
        )
        row = JournalRow("sums", message_id, shard, name, "dead", *origin, at, "bench", 0, b"", "[]", None, None)
        yield letter, row


def fill(store: Store, count: int) -> None:
    """Commit them all, as workers would have: journal rows and index rows."""
    wiring = app.wire()
    store.prepare(wiring.partitions(), wiring.tables())
    store.remember({fingerprint: schema.text for fingerprint, schema in wiring.schemas().items()})
    by_shard: dict[str, list[tuple[DeadLetter, JournalRow]]] = {}
    for letter, row in letters(count):
        by_shard.setdefault(letter.shard, []).append((letter, row))
    for shard, rows in by_shard.items():
        taken = store.take(shard, 0, Taker("filler"))
        assert taken is not None, f"{shard} is somebody's"
        for number, start in enumerate(range(0, len(rows), CHUNK)):
            changes = ShardChanges(shard, taken.epoch, taken.commits + number, taken.lane, taken.floor)
            part = rows[start : start + CHUNK]
            changes.journal += [row for _, row in part]
            changes.to_park().dead += [letter for letter, _ in part]
            assert not store.commit([changes]), f"{shard} is somebody else's"
        store.release(shard, taken.epoch, "filler")


class Shell:
    """The commands, as processes of their own."""

    def __init__(self, store: str) -> None:
        self._environment = {**os.environ, "MAGNETAR_STORE": store}

    def run(self, *words: str) -> tuple[int, Any, float]:
        """Exit status, JSON, and how long it took in seconds."""
        began = time.perf_counter()
        done = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "magnetar.runtime.cli", *words, "--json"],
            env=self._environment, stdout=subprocess.PIPE, check=False,
        )  # fmt: skip
        return done.returncode, json.loads(done.stdout or b"null"), time.perf_counter() - began

    def begin(self, *words: str) -> subprocess.Popen[bytes]:
        """One that goes on."""
        command = [sys.executable, "-m", "magnetar.runtime.cli", *words, "--json"]
        return subprocess.Popen(command, env=self._environment, stdout=subprocess.DEVNULL)  # noqa: S603 - as above


def work(place: StorePlace) -> RunningWorker:
    """A worker that owns all shards."""
    wiring = app.wire()
    broker = Broker(wall_clock)
    provision_embedded(broker, wiring)
    worker = RunningWorker(wiring, EmbeddedBus(broker), place, owner="bench")
    worker.start()
    while not worker.ready:
        worker.wait(0.01)
    return worker


def left(views: Views, cause: str) -> int:
    """How many letters of that cause are dead."""
    return sum(group.letters for group in views.letter_groups(Which(fingerprint=cause)))


def replayed_with_a_kill(shell: Shell, views: Views, rate: float) -> tuple[float, float]:
    """A replay that is killed half-way and resumed; how many letters a second before and after that."""
    options = ("--canary", str(CANARY), "--rate", str(rate), "--why", "benchmark", "--apply")
    whole, began = left(views, GOOD_CAUSE), time.perf_counter()
    tool = shell.begin("dlq", "replay", "--group", GOOD_CAUSE, *options)
    while (now := left(views, GOOD_CAUSE)) > whole // 2:
        assert tool.poll() is None, f"it ended by itself, with {now} letters left"
        time.sleep(0.5)
    tool.send_signal(signal.SIGKILL)
    tool.wait()
    before, half = (whole - now) / (time.perf_counter() - began), now
    [replay] = [each for each in shell.run("dlq", "replays")[1]["replays"] if each["status"] == "running"]
    began = time.perf_counter()
    status, report, _ = shell.run("dlq", "replay", "--resume", replay["id"])
    assert status == 0, report
    return before, half / (time.perf_counter() - began)


def wrong(views: Views, count: int) -> int:
    """How many keys are not as they must be: their five numbers in order, once; or none."""
    codec, keys = app.wire().actors["sums"].codec, max(1, count // EACH)
    found: dict[str, tuple[int, ...]] = {}
    for row in views.states_of("sums"):
        state = codec.decode(row.body, codec.schema, Kept("sums", row.key))
        assert isinstance(state, Sum), f"{row.key} has a {type(state)}"
        found[row.key] = state.numbers
    wanted = {f"k-{key}": tuple(range(EACH)) for key in range(keys) if key % BAD}
    return sum(found.get(key) != numbers for key, numbers in wanted.items()) + len(found.keys() - wanted.keys())


def measured(url: str, count: int, rate: float) -> bool:
    """Everything; whether it was as it must be."""
    place = store_place(url)
    store = place.open()
    began = time.perf_counter()
    fill(store, count)
    store.close()
    print(f"{count:,} dead letters made in {time.perf_counter() - began:.0f} s", flush=True)
    shell, views, worker = Shell(url), place.views(), work(place)
    try:
        took = min(_counted(views) for _ in range(3))
        _, groups, whole = min((shell.run("dlq", "groups") for _ in range(3)), key=lambda run: run[2])
        print(f"groups: {took:.2f} s, the command {whole:.2f} s: {[each['letters'] for each in groups['groups']]}")
        options = ("--canary", "1", "--rate", str(rate), "--why", "benchmark", "--apply")
        stopped, report, _ = shell.run("dlq", "replay", "--group", BAD_CAUSE, *options)
        print(f"what cannot succeed: exit status {stopped}, {report['status']}: {report['said']}, {report['progress']}")
        before, after = replayed_with_a_kill(shell, views, rate)
        print(f"replayed: {before:.0f} a second until SIGKILL, {after:.0f} a second after --resume (asked: {rate:g})")
        mistakes, remain = wrong(views, count), left(views, GOOD_CAUSE)
        print(f"keys out of order, or with anything twice: {mistakes}; letters left that could succeed: {remain}")
    finally:
        worker.kill()
        views.close()
    held = whole <= MOST_SECONDS and stopped == 1 and report["status"] == "stopped"
    return held and min(before, after) >= LEAST_RATE and mistakes == remain == 0


def _counted(views: Views) -> float:
    began = time.perf_counter()
    views.letter_groups(Which())
    return time.perf_counter() - began


def main() -> int:
    """Print what was seen; the exit status."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else LETTERS
    rate = float(sys.argv[2]) if len(sys.argv) > 2 else RATE
    tune_collector()
    with tempfile.TemporaryDirectory() as folder, running_postgres(Path(folder) / "postgres") as server:
        return 0 if measured(server.service_url, count, rate) else 1


if __name__ == "__main__":
    sys.exit(main())
