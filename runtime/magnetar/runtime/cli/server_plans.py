"""What the servers of `magnetar up` are started from: fetched, checked and unpacked when they are needed."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from magnetar.runtime.compose import machine
from magnetar.runtime.servers.cluster import ClusterPlan
from magnetar.runtime.servers.cluster.classes import class_archive
from magnetar.runtime.servers.distribution import pinned_pulsar
from magnetar.runtime.servers.installation import install
from magnetar.runtime.servers.java import find_java
from magnetar.runtime.servers.maven import fetch_from_file, fetch_from_maven
from magnetar.runtime.servers.postgres import PostgresPlan
from magnetar.runtime.servers.postgres_making import packaged_postgres
from magnetar.runtime.servers.pulsar import PulsarPlan

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from magnetar.runtime.servers.cluster.addresses import Asked
    from magnetar.runtime.servers.distribution import Fetch


@dataclass(frozen=True, slots=True)
class Plans:
    """Plans for one directory; `archive` is the distribution as a file, if somebody brought it."""

    data: Path
    archive: Path | None

    def pulsar(self, port: int | None, web_port: int | None) -> PulsarPlan:
        """A standalone Pulsar that lives on. Fetches; raises any `ServerError`."""
        java = find_java(machine.java_home())
        with _bar() as progress:
            home = install(pinned_pulsar(), machine.places().cache, self._fetch, progress)
        return PulsarPlan(
            home=home,
            java=java,
            data=self.data,
            version=pinned_pulsar().version,
            broker_port=port,
            web_port=web_port,
            usual_ports=True,
            tied=False,
        )

    def cluster(self, asked: Asked) -> ClusterPlan:
        """A cluster that lives on. Fetches, and makes its class archive; raises any `ServerError`."""
        java, cache = find_java(machine.java_home()), machine.places().cache
        with _bar() as progress:
            home = install(pinned_pulsar(), cache, self._fetch, progress)
            classes = class_archive(java, home, cache, progress)
        return ClusterPlan(
            home=home,
            java=java,
            data=self.data,
            version=pinned_pulsar().version,
            classes=classes,
            asked=asked,
            tied=False,
        )

    def postgres(self, host: str) -> PostgresPlan:
        """A PostgreSQL that lives on. Raises `PostgresMissing` or `NoAccount` where there cannot be one."""
        home, version = packaged_postgres()
        return PostgresPlan(home=home, data=self.data, version=version, host=host, usual_port=True, tied=False)

    @property
    def _fetch(self) -> Fetch:
        return fetch_from_file(self.archive) if self.archive else fetch_from_maven


@contextmanager
def _bar() -> Generator[_Bar]:
    columns = (TextColumn("{task.description:<12}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    console = Console(file=sys.stderr)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield _Bar(progress)


class _Bar:
    """One line for each step, in the terminal."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._step = ""
        self._task = progress.add_task("", total=None)

    def __call__(self, step: str, done: int, total: int) -> None:
        if step != self._step:
            self._progress.remove_task(self._task)
            self._step, self._task = step, self._progress.add_task(step, total=total or None)
        self._progress.update(self._task, completed=done)
