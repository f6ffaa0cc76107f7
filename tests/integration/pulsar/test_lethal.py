"""Handlers that end their process or never return, on a real broker: dead after their crashes, their batch unharmed."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING
from uuid import uuid4

from magnetar.runtime import Client
from magnetar.runtime.compose.places import bus_place, store_place
from magnetar.runtime.compose.topics import Cluster
from magnetar.runtime.identity import id_of
from magnetar.runtime.threads.watchdog import HUNG
from tests.integration.pulsar.lethal import LIMIT, MANNERS, Brew, app

if TYPE_CHECKING:
    from pathlib import Path

    from magnetar.runtime.servers.pulsar import PulsarServer
    from magnetar.runtime.store.views import Views

NEIGHBOURS = 40
PATIENCE = 100.0
SIGSEGV, SIGABRT = -signal.SIGSEGV, -signal.SIGABRT
START = "from tests.integration.pulsar.lethal import main; main()"


def _is_done(views: Views) -> bool:
    dead = views.dead_letters("cups")
    rows = [views.entry("cups", id_of(f"n-{number}")) for number in range(NEIGHBOURS)]
    return len(dead) == len(MANNERS) and all(row is not None and row.disposition == "applied" for row in rows)


def _lives(command: list[str], views: Views, deadline: float) -> list[int]:
    """Start the worker again and again until all is done; how each life has ended."""
    ends: list[int] = []
    while time.monotonic() < deadline:
        with subprocess.Popen(command) as life:
            try:
                while life.poll() is None and time.monotonic() < deadline:
                    if _is_done(views):
                        life.terminate()
                        assert life.wait(20) == 0
                        return ends
                    with suppress(subprocess.TimeoutExpired):
                        life.wait(0.05)
            finally:
                life.kill()
            ends.append(life.wait())
    raise AssertionError(f"not done after {ends}; dead: {[letter.key for letter in views.dead_letters()]}")


def test_what_ends_its_worker_is_dead_after_its_crashes_and_its_batch_is_not(
    pulsar_server: PulsarServer, tmp_path: Path
) -> None:
    """By `os._exit`, by a signal, for want of memory, and by never returning; one worker, started again each time."""
    name, store = f"brewery{uuid4().hex[:8]}", f"sqlite:///{tmp_path}/brewery.db"
    with Cluster(pulsar_server.admin_url, app(name).wire()) as cluster:
        cluster.apply()
    kept = store_place(store)
    kept.open().close()
    with closing(kept.views()) as views:
        client = Client(app(name).wire(), bus_place(pulsar_server.service_url, name).connect("web"), views)
        for number in range(NEIGHBOURS):
            client.send(Brew(cup=f"c-{number % 5}", word=f"n-{number}"), id=f"n-{number}")
            if number % 10 == 3:
                manner = list(MANNERS)[number // 10]
                client.send(Brew(cup=manner, word=manner, manner=manner), id=manner)
        client.close()
        command = [sys.executable, "-c", START, name, pulsar_server.service_url, pulsar_server.admin_url, store]
        ends = _lives(command, views, time.monotonic() + PATIENCE)
        assert {ends.count(status) >= LIMIT for status in (3, SIGSEGV, SIGABRT, HUNG)} == {True}
        letters = {letter.key: letter for letter in views.dead_letters("cups")}
        assert {key: (letter.crashes, letter.failures) for key, letter in letters.items()} == dict.fromkeys(
            MANNERS, (LIMIT, 0)
        )
        assert {len(views.crashes_of("cups", id_of(manner))) for manner in MANNERS} == {LIMIT}
        rows = [row for number in range(5) for row in views.timeline("cups", f"c-{number}")]
        assert sorted(row.message_id for row in rows) == sorted(id_of(f"n-{number}") for number in range(NEIGHBOURS))
        assert [views.crashes_of("cups", row.message_id) for row in rows] == [[]] * NEIGHBOURS
        assert [views.failures_of("cups", row.message_id) for row in rows] == [[]] * NEIGHBOURS
