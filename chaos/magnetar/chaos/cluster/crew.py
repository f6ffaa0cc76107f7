"""The workers: `magnetar worker` as real processes, each at a berth of its own, and what they say of themselves."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
import urllib.request
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Protocol

from magnetar.chaos.workloads.arms import ARMS, Arms
from magnetar.runtime.errors import MagnetarError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


MOST = 8
"""So many berths."""
PROGRAM: Final = ("-c", "from magnetar.runtime.cli import main; main()")
"""The product's command line, as an interpreter is told."""
_ASK_SECONDS = 1.0
_POLL_SECONDS = 0.1
_UP_SECONDS = 40.0
_GONE_SECONDS = 15.0
_DRAIN_SECONDS = 20.0
"""One may have all shards, on a machine that has no time."""
_LEFT_SECONDS = _DRAIN_SECONDS + 15.0
"""A worker that is asked to stop gives up then, and its last step has 10 s more."""
_ARMED = "from magnetar.chaos.workloads.armed import main; main()"
_ARMS = "arms"
_LINE = re.compile(r"^(?P<name>[a-z_]+)(?:\{[^}]*\})? (?P<value>[0-9.e+-]+)$", re.MULTILINE)


class CrewFailed(MagnetarError):
    """A worker did not come up, or ended by itself; the message names its log."""


class Addressed(Protocol):
    """Servers, by what workers find them with."""

    @property
    def bus_url(self) -> str:
        """Of the brokers."""
        ...

    @property
    def admin_url(self) -> str:
        """Of the brokers' REST API."""
        ...

    @property
    def store_url(self) -> str:
        """Of the store."""
        ...


@dataclass(frozen=True, slots=True)
class Berth:
    """Where one worker runs: what its command begins with, and where it answers for its metrics."""

    prefix: tuple[str, ...]
    host: str
    port: int

    @property
    def listen(self) -> str:
        """As the worker's option wants it."""
        return f"{self.host}:{self.port}"


@dataclass(slots=True)
class Worker:
    """One process. `told` is what its metrics said last, summed over their labels: they die with it.

    `arms`: those of one that can be told to die at a fault point.
    """

    number: int
    berth: Berth
    log: Path
    process: subprocess.Popen[bytes]
    told: Counter[str] = field(default_factory=Counter)
    frozen: bool = False
    arms: Arms | None = None

    @property
    def owner(self) -> str:
        """Its name in the store, as workers call themselves."""
        return f"{socket.gethostname()}:{self.process.pid}"

    def ask(self) -> bool:
        """Read its metrics. False if it does not answer."""
        text = self._get("metrics")
        if text is None:
            return False
        self.told = figures(text)
        return True

    def is_ready(self) -> bool:
        """Whether it says that it is."""
        return self._get("readyz") is not None

    def _get(self, path: str) -> str | None:
        url = f"http://{self.berth.listen}/{path}"
        try:
            with urllib.request.urlopen(url, timeout=_ASK_SECONDS) as answer:
                return str(answer.read(), "utf-8")
        except OSError:
            return None


class Berths(Protocol):
    """Where workers can be."""

    def berth(self, number: int) -> Berth:
        """The place of a worker, made when it is first asked for. Numbers are from 1."""
        ...


@dataclass(frozen=True, slots=True)
class _Besides:
    """See `Berths`: the same places, and another port for metrics."""

    berths: Berths

    def berth(self, number: int) -> Berth:
        """See `Berths`."""
        berth = self.berths.berth(number)
        return replace(berth, port=berth.port + 1)


class Crew:
    """Whoever works at a moment. One thread, but for `look`, which a second one may call."""

    def __init__(self, berths: Berths, command: tuple[str, ...], folder: Path) -> None:
        """`command` is `magnetar worker` with all but `--listen`; `logs` go to `folder`, one for each process."""
        self._berths = berths
        self._command = command
        self._folder = folder
        self._starts = 0
        self._armed: set[int] = set()
        self._past: Counter[str] = Counter()
        self.workers: dict[int, Worker] = {}
        self.logs: dict[int, Path] = {}

    @property
    def owners(self) -> list[str]:
        """The names of all who live, as the store has them."""
        return [worker.owner for worker in list(self.workers.values())]

    @property
    def free(self) -> list[int]:
        """Numbers of those who might work besides, so that there are twice as many as at first."""
        return [number for number in range(1, MOST + 1) if number not in self.workers]

    def start(self, *numbers: int) -> None:
        """Start workers, and wait until each says that it is ready. Raises `CrewFailed`."""
        for number in numbers:
            self.workers[number] = self._launched(number)
        for number in numbers:
            self._check_ready(self.workers[number])

    def kill(self, *numbers: int) -> None:
        """SIGKILL for all of them at once."""
        for number in numbers:
            self.workers[number].process.kill()
        for number in numbers:
            self._ended(number)

    def stop(self, *numbers: int) -> None:
        """SIGTERM for all at once; each drains and ends with status 0. Raises `CrewFailed`.

        Who has not ended after 25 s is killed, and counts as fallen: it is started again.
        """
        for number in numbers:
            self.workers[number].ask()
            self.workers[number].process.terminate()
        for number in numbers:
            status, log = self._left(number), self._folder
            if status != 0:
                message = f"worker {number} was asked to stop and ended with status {status}; see its log in {log}"
                raise CrewFailed(message)

    def freeze(self, number: int) -> None:
        """SIGSTOP."""
        self.workers[number].frozen = True
        self.workers[number].process.send_signal(signal.SIGSTOP)

    def beside(self, target: str) -> Crew:
        """Another crew, of nobody yet, at the same nodes and places, that works on another app."""
        folder = self._folder / "beside"
        folder.mkdir(exist_ok=True)
        at = self._command.index("worker") + 1
        return Crew(_Besides(self._berths), (*self._command[:at], target, *self._command[at + 1 :]), folder)

    def armed(self, number: int) -> Arms:
        """The arms of a worker; one that has none is asked to leave, and is started with some. Raises `CrewFailed`."""
        if number not in self._armed:
            self._armed.add(number)
            self.stop(number)
            self.start(number)
        arms = self.workers[number].arms
        assert arms is not None, f"worker {number} was started with arms"
        return arms

    def mourn(self, number: int, pid: int) -> None:
        """One that has ended by itself, as it was told: it stays away until it is started."""
        worker = self.workers.get(number)
        if worker is not None and worker.process.pid == pid:
            self._ended(number)

    def thaw(self, number: int) -> None:
        """SIGCONT."""
        self.workers[number].process.send_signal(signal.SIGCONT)
        self.workers[number].frozen = False

    def look(self) -> None:
        """Read everybody's metrics."""
        for worker in list(self.workers.values()):
            if not worker.frozen:
                worker.ask()

    def total(self, name: str) -> int:
        """A counter, summed over all workers of the run, those that are gone included."""
        return self._past[name] + sum(worker.told[name] for worker in list(self.workers.values()))

    def level(self, name: str) -> int:
        """A gauge, in whole numbers, summed over those who live."""
        return sum(worker.told[name] for worker in list(self.workers.values()))

    def await_ready(self, worker: Worker, within: float) -> bool:
        """Wait until it says that it is ready. False if it does not in time, or ends."""
        until(lambda: worker.process.poll() is not None or worker.is_ready(), within)
        return worker.process.poll() is None and worker.is_ready()

    def dismiss(self) -> None:
        """End whoever is left, whatever state it is in."""
        for worker in self.workers.values():
            worker.process.kill()
            worker.process.wait(_GONE_SECONDS)
        self.workers.clear()

    def fallen(self) -> list[str]:
        """Who has ended without being told to, in words. They are started again. Raises `CrewFailed`."""
        gone = [worker for worker in self.workers.values() if worker.process.poll() is not None]
        words = [
            f"worker {each.number} ended by itself with status {each.process.poll()}; {each.log.name}" for each in gone
        ]
        for worker in gone:
            self._ended(worker.number)
        self.start(*(worker.number for worker in gone))
        return words

    def _launched(self, number: int) -> Worker:
        self._starts += 1
        berth, armed, arms = self._berths.berth(number), number in self._armed, self._folder / _ARMS
        log = self._folder / f"worker-{number}.{self._starts}.log"
        program = [_ARMED if armed and part == PROGRAM[-1] else part for part in self._command]
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 - our own program
                [*berth.prefix, *program, "--listen", berth.listen],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, "PYTHONUNBUFFERED": "1", ARMS: str(arms)},
                start_new_session=True,  # Ctrl-C at the terminal is the report's alone
            )
        self.logs[process.pid] = log
        return Worker(number, berth, log, process, arms=Arms(arms, process.pid) if armed else None)

    def _check_ready(self, worker: Worker) -> None:
        if not self.await_ready(worker, _UP_SECONDS):
            message = f"worker {worker.number} did not get ready within {_UP_SECONDS} s, or ended; see {worker.log}"
            raise CrewFailed(message)

    def _left(self, number: int) -> int:
        try:
            return self._ended(number, _LEFT_SECONDS)
        except subprocess.TimeoutExpired as problem:
            worker = self.workers[number]
            worker.process.kill()
            worker.process.wait(_GONE_SECONDS)
            message = f"worker {number} was asked to stop and had not ended after {_LEFT_SECONDS} s; see {worker.log}"
            raise CrewFailed(message) from problem

    def _ended(self, number: int, within: float = _GONE_SECONDS) -> int:
        worker = self.workers[number]
        status = worker.process.wait(within)
        del self.workers[number]
        self._past.update(worker.told)
        return status


def figures(text: str) -> Counter[str]:
    """What a page of metrics says, each name summed over its labels, in whole numbers."""
    found: Counter[str] = Counter()
    for match in _LINE.finditer(text):
        found[match["name"]] += int(float(match["value"]))
    return found


def command(python: str, target: str, ground: Addressed, program: tuple[str, ...] = PROGRAM) -> tuple[str, ...]:
    """How a worker is run. `program`: what the interpreter is to run as `magnetar`."""
    places = ("--bus", ground.bus_url, "--admin", ground.admin_url, "--store", ground.store_url)
    return (python, *program, "worker", target, *places, "--drain", f"{_DRAIN_SECONDS:g}", "--json")


def until(condition: Callable[[], bool], within: float) -> bool:
    """Look every 100 ms for at most `within` seconds whether the condition holds."""
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True
