"""`magnetar key why` with 1,000,000 keys in the store: as a person types it, for each cause, on PostgreSQL.

A worker with an in-process bus brings each cause about, on a key of its own. Then the rows of these keys are multiplied
in the database: as many keys with a state, a journal row and an armed timer, and for every fifty of them one that is
parked with its message, one that is held by a dead letter, and one with an effect under way. Last the worker is killed.

Usage: python -m benchmarks.why [KEYS]. Exit status 1 when a command took more than a second (`MOST_SECONDS`; the median
of three, a process of its own each), or did not name the cause.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import psycopg

from magnetar.runtime import (
    Actor,
    App,
    Breaking,
    Call,
    Client,
    Command,
    Context,
    Dependency,
    Effect,
    Key,
    NotSent,
    Outcome,
    PermanentError,
    Policy,
    Retry,
    State,
    Timer,
    Unknown,
    replace,
)
from magnetar.runtime.bus.memory import Broker
from magnetar.runtime.compose.places import EmbeddedBus, provision_embedded, store_place
from magnetar.runtime.compose.process import tune_collector
from magnetar.runtime.compose.running import RunningWorker
from magnetar.runtime.servers.postgres import running_postgres
from magnetar.runtime.threads.loop import wall_clock

if TYPE_CHECKING:
    from collections.abc import Mapping

KEYS, EACH, MOST_SECONDS, PATIENCE, SECOND = 1_000_000, 50, 1.0, 60.0, 1_000_000


class Do(Command):
    """Do this: a word that the handler knows."""

    job: Key
    deed: str = "nothing"


class Late(Timer):
    """It is time."""


class Dial(Effect):
    """Call somebody who is slow."""


class Ring(Effect):
    """Call somebody who is not there."""


class Done(Outcome):
    """It was done."""


class Nobody(Unknown):
    """Nobody knows."""


class Job(State):
    """How much came of it."""

    done: int = 0


slow = Dependency("slow", timeout=600.0)
gone = Dependency("gone", tiers=(0.1,), attempts=1_000, rate=1_000.0, breaking=Breaking(least=2, window=4, opens=600.0))
jobs = Actor("jobs", Job, policy=Policy(partitions=2, retry=Retry(immediate=1, tiers=(900.0,), attempts=3, jitter=0.0)))
hung_up = threading.Event()


@jobs.handles
def do(job: Job, message: Do, context: Context) -> Job:
    """As its word says."""
    if message.deed == "fail":
        raise OSError(message.deed)
    if message.deed == "die":
        raise PermanentError(message.deed)
    if message.deed == "wait":
        context.schedule(Late(), after=86_400)
    if message.deed == "dial":
        context.effect(Dial())
    if message.deed == "ring":
        context.effect(Ring())
    return replace(job, done=job.done + 1)


@jobs.handles
def late(job: Job, message: Late, context: Context) -> Job:  # noqa: ARG001 - what a handler is given
    """Enough."""
    return job


@jobs.handles
def done(job: Job, message: Done, context: Context) -> Job:  # noqa: ARG001 - as above
    """Good."""
    return job


@jobs.handles
def nobody(job: Job, message: Nobody, context: Context) -> Job:  # noqa: ARG001 - as above
    """Bad."""
    return job


@jobs.effect(slow, unknown=Nobody)
def dial(request: Dial, call: Call) -> Done:  # noqa: ARG001 - as above
    """It takes until the benchmark hangs up."""
    hung_up.wait()
    return Done()


@jobs.effect(gone, unknown=Nobody)
def ring(request: Ring, call: Call) -> Done:  # noqa: ARG001 - as above
    """Nobody is there."""
    text = "no such number"
    raise NotSent(text)


app = App("jobs", jobs)

DEEDS: Mapping[str, tuple[str, str]] = {
    "fine": ("nothing", "nothing is wrong"),
    "retry": ("fail", "retry pending"),
    "held": ("die", "held after a dead letter"),
    "flight": ("dial", "effect in flight"),
    "rings": ("ring", "breaker open"),
    "timer": ("wait", "timer awaited"),
}
"""Key → what is to be done with it, and the cause that it has then."""

CROWD: tuple[tuple[str, str, int, Mapping[str, str]], ...] = (
    ("states", "fine", 1, {"key": "'k-' || n"}),
    ("journal", "fine", 1, {"key": "'k-' || n", "message_id": "gen_random_uuid()", "state": "id_of(n)"}),
    ("timers", "timer", 1, {"key": "'k-' || n"}),
    ("parked", "retry", EACH, {"key": "'r-' || n", "message_id": "gen_random_uuid()"}),
    ("parked_keys", "retry", EACH, {"key": "'r-' || n"}),
    ("dead_letters", "held", EACH, {"key": "'h-' || n", "message_id": "gen_random_uuid()"}),
    ("parked_keys", "held", EACH, {"key": "'h-' || n"}),
    ("effects", "flight", EACH, {"key": "'e-' || n", "effect_id": "gen_random_uuid()"}),
)
"""Table, the key whose row is multiplied, one row for how many keys, and what differs in row n."""

_ID_OF = """
CREATE FUNCTION pg_temp.id_of(n bigint) RETURNS bigint LANGUAGE sql STABLE AS
$$ SELECT id FROM states WHERE actor = 'jobs' AND key = 'k-' || n $$
"""


class Shell:
    """The command, as a process of its own."""

    def __init__(self, store: str) -> None:
        self._environment = {**os.environ, "MAGNETAR_STORE": store}

    def why(self, key: str) -> tuple[str, float]:
        """The cause that it names first, and how long it took in seconds."""
        began = time.perf_counter()
        found = self.run("key", "why", f"jobs/{key}", "--json")
        return found["obstacles"][0]["cause"] if found else "", time.perf_counter() - began

    def run(self, *words: str) -> dict[str, Any] | None:
        """Its JSON."""
        command = [sys.executable, "-m", "magnetar.runtime.cli", *words]
        done = subprocess.run(command, env=self._environment, stdout=subprocess.PIPE, check=False)  # noqa: S603 - ours
        told: dict[str, Any] | None = json.loads(done.stdout or b"null")
        return told

    def until(self, key: str, cause: str) -> None:
        """Wait until it names this cause."""
        deadline = time.monotonic() + PATIENCE
        while (told := self.why(key)[0]) != cause:
            assert time.monotonic() < deadline, f"{key}: {told}, not {cause}"


def multiplied(connection: psycopg.Connection[Any], count: int) -> None:
    """Put the crowd beside the keys that the worker has made."""
    connection.execute(_ID_OF)
    for table, key, each, changes in CROWD:
        columns = [
            row[0]
            for row in connection.execute(
                "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND is_identity = 'NO'",
                (table,),
            )
        ]
        values = [changes.get(column, column).replace("id_of", "pg_temp.id_of") for column in columns]
        statement = (
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} "  # noqa: S608 - names of our own
            f"FROM (SELECT * FROM {table} WHERE key = %s LIMIT 1) AS one, generate_series(1, {count // each}) AS n"
        )
        connection.execute(statement.encode(), (key,))
        connection.execute(f"ANALYZE {table}".encode())


def measured(url: str, count: int) -> bool:
    """Everything; whether it was as it must be."""
    place, broker, wiring = store_place(url), Broker(wall_clock), app.wire()
    provision_embedded(broker, wiring)
    bus, shell = EmbeddedBus(broker), Shell(url)
    worker = RunningWorker(wiring, bus, place, owner="bench")
    worker.start()
    views = place.views()
    client = Client(wiring, bus.connect("web"), views)
    try:
        client.send_all([(Do(job=key, deed=deed), key) for key, (deed, _) in DEEDS.items()])
        client.send_all([(Do(job=f"rings-{number}", deed="ring"), f"rings-{number}") for number in range(4)])
        shell.run("keys", "pause", "jobs/paused", "--who", "ann", "--why", "a call", "--json")
        for key, (_, cause) in DEEDS.items():
            shell.until(key, cause)
        began = time.perf_counter()
        with psycopg.connect(url, autocommit=True) as connection:
            multiplied(connection, count)
        print(f"{count:,} keys made in {time.perf_counter() - began:.0f} s", flush=True)
        good = [asked(shell, key, cause) for key, (_, cause) in DEEDS.items()]
        good.append(asked(shell, "paused", "paused by a person"))
        good.append(asked(shell, f"k-{count // 2}", "timer awaited"))
    finally:
        worker.kill()
        hung_up.set()
        client.close()
        views.close()
    shell.until("retry", "shard without owner")
    return all([*good, asked(shell, "retry", "shard without owner")])


def asked(shell: Shell, key: str, cause: str) -> bool:
    """Three times; prints what was told, and says whether it was right and in time."""
    told = [shell.why(key) for _ in range(3)]
    took = median(seconds for _, seconds in told)
    print(f"{cause:<26} {took:.2f} s ({', '.join(f'{seconds:.2f}' for _, seconds in told)})", flush=True)
    return took <= MOST_SECONDS and {name for name, _ in told} == {cause}


def main() -> int:
    """Print what was seen; the exit status."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else KEYS
    tune_collector()
    with tempfile.TemporaryDirectory() as folder, running_postgres(Path(folder) / "postgres") as server:
        return 0 if measured(server.service_url, count) else 1


if __name__ == "__main__":
    sys.exit(main())
