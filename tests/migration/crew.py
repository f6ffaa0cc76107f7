"""Worker processes of several releases beside each other, on one broker and one store, and what they leave."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

from magnetar.runtime import App, Client
from magnetar.runtime.compose.places import bus_place
from magnetar.runtime.compose.topics import Cluster
from magnetar.schemas import Kept, Schema
from tests.migration.diary import first, second, third
from tests.migration.releases import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from magnetar.runtime.servers.pulsar import PulsarServer
    from magnetar.schemas import Message
    from tests.migration.releases import Code
    from tests.migration.story import Place

PATIENCE = 90.0
KEYS = [f"d-{number}" for number in range(8)]
ALOUD = 20
"""So many messages, one after the other, give a worker the time to take every shard that it can."""

RUN = "import sys; from magnetar.runtime.cli import main; sys.exit(main())"
"""`magnetar`, of whichever code is in the path."""


class Worker:
    """`magnetar worker` by somebody's code; killed at the end of the block if it still runs."""

    def __init__(self, code: Code, target: str, places: tuple[str, ...], said: Path) -> None:
        """`said`: the file of what it says on stderr."""
        self._said = said
        command = [*code.python, "-c", RUN, "worker", target, *places]
        with said.open("wb") as stderr:
            self._process = subprocess.Popen(
                command, cwd=said.parent, env=code.environment, stdout=subprocess.DEVNULL, stderr=stderr
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    @property
    def said(self) -> str:
        """All that it has said so far."""
        return self._said.read_text(encoding="utf-8")

    @property
    def is_up(self) -> bool:
        """Whether it has reached broker and store, and has said so."""
        return "Ctrl-C drains" in self.said

    def owns(self, owner: str) -> bool:
        """Whether a shard's row names it."""
        return owner.partition("#")[0].rpartition(":")[2] == str(self._process.pid)

    def leave(self) -> None:
        """Drain, as in a rolling update, and end in order."""
        self._process.send_signal(signal.SIGTERM)
        assert self._process.wait(PATIENCE) == 0, self.said

    def die(self) -> None:
        """As `kill -9` does."""
        self._process.kill()
        self._process.wait(PATIENCE)

    def ended(self) -> int | None:
        """Its exit status, if it has ended by itself."""
        return self._process.poll()


class Entry(NamedTuple):
    """A diary as it is stored, read with the schema with which it was written."""

    written: list[int]
    read: list[int]
    dried: int
    counted: int | None  # None: stored by code that does not know of it


@dataclass
class Crew:
    """One app of a name of its own, and whoever works for it. `sent` are the numbers given to each diary, in order."""

    folder: Path
    broker: PulsarServer
    place: Place
    name: str
    sent: dict[str, list[int]] = field(default_factory=lambda: {key: [] for key in KEYS})
    _workers: int = 0

    def apply(self, release: App) -> None:
        """Make the topics of a release, as its operators do before they update workers."""
        wiring = App(self.name, *release.actors).wire()
        with Cluster(self.broker.admin_url, wiring) as cluster:
            assert not any(row.conflict for row in cluster.apply())

    def worker(self, code: Code, release: str) -> Worker:
        """Start a worker of the app's `first`, `second` or `third` release."""
        self._workers += 1
        at = {"DIARY_NAME": self.name, "MAGNETAR_ADMIN": self.broker.admin_url}
        path = os.pathsep.join(filter(None, (code.environment.get("PYTHONPATH"), str(ROOT))))
        running = replace(code, environment={**code.environment, **at, "PYTHONPATH": path})
        places = ("--bus", self.broker.service_url, "--store", self.place.url)
        return Worker(running, f"tests.migration.diary.{release}:APP", places, self.folder / f"{self._workers}.txt")

    @contextmanager
    def client(self, release: App = first.APP) -> Generator[Client]:
        """Whoever writes diaries, with what a release knows of messages; the topics must be that release's."""
        bus = bus_place(self.broker.service_url, self.name).connect("writer")
        client = Client(App(self.name, *release.actors).wire(), bus, timeout=PATIENCE)
        try:
            yield client
        finally:
            client.close()
            bus.close()

    def write(self, client: Client, *keys: str) -> None:
        """The next number for each of these diaries, of all by default."""
        batch: list[tuple[Message, str]] = []
        for key in keys or KEYS:
            number = len(self.sent[key]) + 1
            self.sent[key].append(number)
            batch.append((first.Write(diary=key, number=number), f"{key}-{number}"))
        client.send_all(batch)

    def correct(self, client: Client, *keys: str) -> None:
        """Take the latest number of each of these diaries back."""
        for key in keys:
            number = len(self.sent[key]) + 1
            self.sent[key].append(-number)
            client.send(second.Correct(diary=key, number=number), id=f"{key}-{number}")

    def read_aloud(self, client: Client, worker: Worker) -> None:
        """Something for readers that no diary has asked for, one after the other: the worker is at work for a while."""
        for number in range(1, ALOUD + 1):
            client.send(first.Read(reader="by hand", number=number), id=f"aloud-{number}")
            self.wait_for("reader", partial(self._has_read_out, number), worker)

    def _has_read_out(self, count: int) -> bool:
        rows = self.place.rows("SELECT count(*) FROM journal WHERE actor = 'readers' AND key = 'by hand'")
        return rows == [(count,)]

    def parked(self) -> list[str]:
        """The keys that wait for somebody who can read their message."""
        rows = self.place.rows("SELECT key FROM parked_keys WHERE reason = 'unread' ORDER BY key")
        return [str(key) for (key,) in rows]

    def corrected(self) -> set[str]:
        """The diaries whose latest correction was applied."""
        corrections = {key: [number for number in numbers if number < 0] for key, numbers in self.sent.items()}
        stored = self.diaries()
        return {key for key, made in corrections.items() if made and key in stored and made[-1] in stored[key].written}

    def outlived(self, worker: Worker, other: Worker, *, seconds: int) -> bool:
        """Whether the store has heard of one worker for so much longer than of another."""
        seen = [(str(name), int(at)) for name, at in self.place.rows("SELECT worker, seen FROM workers")]
        last = [max((at for name, at in seen if each.owns(name)), default=0) for each in (worker, other)]
        return last[0] >= last[1] + seconds * 1_000_000

    def owners(self) -> list[str]:
        """Who has each shard; '' for nobody."""
        return [str(owner) for (owner,) in self.place.rows("SELECT owner FROM shards ORDER BY shard")]

    def wait_for(self, what: str, there: Callable[[], bool], *workers: Worker) -> None:
        """Until it is so, while these workers run."""
        until, pause = time.monotonic() + PATIENCE, threading.Event()
        while not there():
            said = "\n".join(f"--- {worker.ended()}\n{worker.said}" for worker in workers)
            assert time.monotonic() < until, f"no {what} within {PATIENCE} s\n{said}"
            assert all(worker.ended() is None for worker in workers), f"a worker ended before {what}:\n{said}"
            pause.wait(0.05)

    def wait_for_owners(self, *workers: Worker) -> None:
        """Until these own every shard, and each of them some."""

        def shared() -> bool:
            owners = self.owners()
            taken = all(any(worker.owns(owner) for worker in workers) for owner in owners)
            return taken and all(any(worker.owns(owner) for owner in owners) for worker in workers)

        self.wait_for_all_up(*workers)
        self.wait_for("share for each worker", shared, *workers)

    def wait_for_all_up(self, *workers: Worker) -> None:
        """Until these have reached broker and store."""
        self.wait_for("word of each worker", lambda: all(worker.is_up for worker in workers), *workers)

    def applied(self) -> int:
        """How many messages were applied, of all kinds."""
        return int(self.place.rows("SELECT count(*) FROM journal WHERE disposition = 'applied'")[0][0])

    def wait_for_more(self, *workers: Worker, more: int = 40) -> None:
        """Until so many more messages are applied: somebody works."""
        least = self.applied() + more
        self.wait_for(f"{more} messages more", lambda: self.applied() >= least, *workers)

    def diaries(self) -> dict[str, Entry]:
        """Every diary that is stored."""
        found: dict[str, Entry] = {}
        for key, body, version in self.place.rows(
            "SELECT key, body, schema FROM states WHERE actor = 'diaries' AND key LIKE 'd-%'"
        ):
            text = self.place.rows(f"SELECT text FROM schemas WHERE fingerprint = '{version}'")[0][0]
            found[str(key)] = _entry(bytes(body), str(text))
        return found

    def wait_for_all(self, *workers: Worker) -> dict[str, Entry]:
        """Until all that was sent is written, read, told and dry; each diary must have it in its order, once."""

        def settled() -> bool:
            done = {key: (len(each.written), len(each.read), each.dried) for key, each in self.diaries().items()}
            return done == {key: _expected(numbers) for key, numbers in self.sent.items() if numbers}

        self.wait_for("end of all", settled, *workers)
        found = self.diaries()
        for key, entry in found.items():
            assert entry.written == self.sent[key]
            assert entry.read == [number for number in self.sent[key] if number > 0]
        assert self.place.rows("SELECT count(*) FROM outbox") == [(0,)]
        return found


def _expected(numbers: list[int]) -> tuple[int, int, int]:
    written = [number for number in numbers if number > 0]
    return len(numbers), len(written), written[-1]


def _entry(body: bytes, text: str) -> Entry:
    """A diary by the newest type, and whether the one who stored it knew of all its fields."""
    writer = Schema.parse(text)
    state = third.APP.wire().actors["diaries"].codec.decode(body, writer, Kept("diaries", "test"))
    assert isinstance(state, third.Diary)
    knows = '"counted"' in text
    return Entry(list(state.written), list(state.read), state.dried, state.counted if knows else None)


class Load:
    """Numbers for all diaries, again and again, from a thread of their own."""

    def __init__(self, crew: Crew, client: Client) -> None:
        self._crew, self._client = crew, client
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(0.1):
            self._crew.write(self._client)
