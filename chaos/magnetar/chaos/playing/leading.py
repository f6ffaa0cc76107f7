"""From outside: a place and a cluster for as many scenarios as go well on it, and a new one for those that are left."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from magnetar.chaos.cluster import enclosure
from magnetar.chaos.cluster.plans import provide
from magnetar.chaos.cluster.reporting import OutputBusy
from magnetar.chaos.playing.inside import INTERRUPTED, MODULE
from magnetar.chaos.record.keeping import read_record
from magnetar.runtime.servers.errors import ServerError
from magnetar.runtime.servers.locks import locked

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from magnetar.chaos.record.shape import Record

DATA = "data"


class NoCluster(ServerError):
    """No cluster could be made, or it ended early; what was played before is there."""

    def __init__(self, reason: str) -> None:
        """Say why."""
        super().__init__(f"no cluster for chaos: {reason}; `magnetar chaos doctor` says what can run here")


def lead(names: Sequence[str], seed: int, out: Path, module: str = MODULE) -> Iterator[Record]:
    """Play each, in turn. The main thread's: SIGTERM is as Ctrl-C from now on.

    `module`: what goes inside and plays. `names`: those that it knows; of the usual one, ids and paths of scenarios.
    What servers are started from is fetched first. Raises `OutputBusy`, `NoCluster` and any other `ServerError`, and
    `KeyboardInterrupt`.
    """
    if why := enclosure.why_not():
        raise NoCluster(why)
    provide()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    out.mkdir(parents=True, exist_ok=True)
    with locked(out / "lock", 0.0, OutputBusy(out)):
        left, clusters = list(names), 0
        while left:
            clusters += 1
            played = 0
            for record in _cluster(left, seed, out, clusters, module):
                played += 1
                yield record
            if not played:
                raise NoCluster("it was given up; the last lines above say why")
            left = left[played:]


def _cluster(names: Sequence[str], seed: int, out: Path, number: int, module: str) -> Iterator[Record]:
    """Those of one. Whoever stops it waits until all is healed and ended; who stops it again does not."""
    data = out.absolute() / DATA / str(number)
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    process = subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", module, str(out.absolute()), str(data), str(seed), *names],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C at a terminal is ours: it is told once, and heals in peace
    )
    assert process.stdout is not None, "it was started with a pipe"
    try:
        for line in process.stdout:
            yield read_record(out / line.strip())
        status = process.wait()
    except KeyboardInterrupt:
        os.killpg(process.pid, signal.SIGINT)
        process.wait()
        raise
    finally:
        _ended(process)
        shutil.rmtree(data, ignore_errors=True)
    if status == INTERRUPTED:
        raise KeyboardInterrupt


def _ended(process: subprocess.Popen[str]) -> None:
    """Whoever stops listening ends it, too: with its place everything in there goes, whatever was in force."""
    if process.poll() is None:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
