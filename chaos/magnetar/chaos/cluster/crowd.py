"""Everybody of a cluster but its customers: the provider and the workers, at their nodes."""

from __future__ import annotations

import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from magnetar.actors.providing.emulator.process import ProviderFailed, ProviderProcess
from magnetar.chaos.cluster.crew import PROGRAM, Crew, command, until
from magnetar.chaos.cluster.errors import StationFailed
from magnetar.chaos.cluster.profile import Role
from magnetar.chaos.cluster.stations import ProviderStation, WorkerStation

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from magnetar.chaos.cluster.ground import Ground
    from magnetar.chaos.cluster.stations import Station

_OWNED_SECONDS = 40.0


@dataclass(frozen=True, slots=True)
class Crowd:
    """The crew, for what its metrics say, and the provider, for what its log does."""

    crew: Crew
    provider: ProviderProcess


@contextmanager
def crowded(
    ground: Ground, target: str, folder: Path, *settings: str, program: tuple[str, ...] = PROGRAM
) -> Generator[Crowd]:
    """Every worker of the profile on an app, and the provider, up for the block; logs go to `folder`.

    `target` is the app as a worker's command line names it; it finds the provider in `MAGNETAR_PROVIDER_URL`, and
    `settings` (`NAME=value`) in its environment, too. `program` is what workers are, as an interpreter is told. All of
    them are stations of the ground meanwhile, and every shard has an owner when the block begins. Raises `CrewFailed`,
    `StationFailed` and `StoreError`.
    """
    (bank,) = ground.profile.of(Role.PROVIDER)
    with ExitStack() as opened:
        provider = _provider(ground, folder)
        opened.callback(provider.stop)
        worker = ("env", f"MAGNETAR_PROVIDER_URL={provider.url}", *settings)
        crew = Crew(
            ground.berths,
            (*worker, *command(sys.executable, target, ground, program)),
            folder,
        )
        opened.callback(crew.dismiss)
        workers = ground.profile.of(Role.WORKER)
        crew.start(*(node.number for node in workers))
        stations: list[Station] = [WorkerStation(node, crew) for node in workers]
        stations.append(ProviderStation(bank, provider, ground.switch))
        for station in stations:
            ground.stations[station.node.name] = station
            opened.callback(ground.stations.pop, station.node.name)
        _await_owners(ground, set(crew.owners))
        yield Crowd(crew, provider)


def _await_owners(ground: Ground, owners: set[str]) -> None:
    """A worker is ready before it has won all that it wants."""
    views, wanted = ground.store.views(), sum(ground.wiring.partitions().values())
    try:
        owned = until(lambda: sum(row.owner in owners for row in views.shards()) == wanted, _OWNED_SECONDS)
    finally:
        views.close()
    if not owned:
        raise StationFailed("workers", f"not all of {wanted} shards were owned within {_OWNED_SECONDS:.0f} s")


def _provider(ground: Ground, folder: Path) -> ProviderProcess:
    (bank,) = ground.profile.of(Role.PROVIDER)
    try:
        with ground.inside(bank.name):
            return ProviderProcess(folder / "provider.jsonl", host=bank.address)
    except ProviderFailed as problem:
        raise StationFailed(bank.name, str(problem)) from problem
