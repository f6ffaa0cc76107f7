"""The archive from Maven's repositories, by `jgo`, which needs neither Maven nor Java.

The only module that imports `jgo`; it belongs to the extra `servers`.
"""

from __future__ import annotations

import errno
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from magnetar.runtime.servers.errors import DownloadBroken, DownloaderMissing, NoSpace

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from magnetar.runtime.servers.distribution import Distribution, Fetch, Progress

_SOCKET_SECONDS = 60


def fetch_from_maven(distribution: Distribution, into: Path, progress: Progress) -> Path:
    """Download the archive into `into`; what `jgo` leaves there is a whole file only if nothing was raised.

    A connection that is silent for a minute is broken. Raises `DownloadBroken`, `DownloaderMissing` or `NoSpace`.
    """
    try:
        from jgo.maven import MavenContext, PythonResolver  # noqa: PLC0415 - an extra, and slow to import
    except ImportError as problem:
        raise DownloaderMissing from problem
    resolver = PythonResolver(progress_callback=_reporting(progress))
    context = MavenContext(resolver=resolver, repo_cache=into, local_repos=[], timeout=_SOCKET_SECONDS)
    component = context.project(distribution.group, distribution.artifact).at_version(distribution.version)
    try:
        return component.artifact(distribution.classifier, distribution.packaging).resolve()
    except (RuntimeError, OSError) as problem:  # requests' errors are OSErrors; RuntimeError: in no repository
        if isinstance(problem, OSError) and problem.errno == errno.ENOSPC:
            raise NoSpace(into, distribution.size_bytes, 0) from problem
        raise DownloadBroken(str(distribution), f"{type(problem).__name__}: {problem}") from problem


def _reporting(progress: Progress) -> Callable[[str, int], AbstractContextManager[Callable[[int], None]]]:
    """Our progress in the shape that `jgo` calls: a context around one file that is told of each chunk."""

    @contextmanager
    def report(_name: str, total: int) -> Generator[Callable[[int], None]]:
        done = 0

        def advance(count: int) -> None:
            nonlocal done
            done += count
            progress("downloading", done, total)

        yield advance

    return report


def fetch_from_file(archive: Path) -> Fetch:
    """For machines without a network: the archive is a file that somebody brought."""

    def fetch(distribution: Distribution, _into: Path, progress: Progress) -> Path:
        if not archive.is_file():
            raise DownloadBroken(str(distribution), f"{archive} is not a file")
        progress("reading", 0, archive.stat().st_size)
        return archive

    return fetch
