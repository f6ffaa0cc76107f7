"""Two servers: the run's one for what harms nobody, and one of this folder's own to be frozen and killed."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.contract.bus.harness import Bench, until
from tests.contract.bus.pulsar_harness import PulsarHarness
from tests.fixtures_pulsar import thrown_away

if TYPE_CHECKING:
    from magnetar.runtime.servers.pulsar import PulsarPlan, PulsarServer


@pytest.fixture
def bench(pulsar_server: PulsarServer) -> Generator[Bench]:
    """The adapter on the run's server, with the verbs of the contract."""
    harness = PulsarHarness(pulsar_server)
    yield Bench(harness)
    harness.close()


class Victim:
    """A server that may be frozen and killed, with the adapter on it."""

    def __init__(self, server: PulsarServer, harness: PulsarHarness) -> None:
        self.server = server
        self.harness = harness
        self.bench = Bench(harness)

    @contextmanager
    def frozen(self) -> Generator[None]:
        """The server stands still for the block."""
        self.server.pause()
        try:
            until(lambda: stands_still(self.server.process.pid) or None, 10, "end of all that it does")
            yield
        finally:
            self.server.resume()


def stands_still(pid: int) -> bool:
    """Whether each thread has stopped: SIGSTOP only asks for it, and on a busy machine some may go on for a moment."""
    try:
        stats = [task.joinpath("stat").read_text(encoding="ascii") for task in Path(f"/proc/{pid}/task").iterdir()]
    except (FileNotFoundError, ProcessLookupError):  # one has ended meanwhile
        return False
    return {stat.rpartition(")")[2].split()[0] for stat in stats} == {"T"}


@pytest.fixture(scope="module")
def own_server(pulsar_plan: PulsarPlan, tmp_path_factory: pytest.TempPathFactory) -> Generator[PulsarServer]:
    """A server that only this module uses, and no longer.

    One that was killed and started again may renew its bookie's registration without end, which takes a whole core.
    """
    with thrown_away(replace(pulsar_plan, data=tmp_path_factory.mktemp("victim"))) as server:
        yield server


@pytest.fixture
def victim(own_server: PulsarServer) -> Generator[Victim]:
    """A server to be harmed; it is running again when the test is over."""
    harness = PulsarHarness(own_server)
    yield Victim(own_server, harness)
    harness.close()
