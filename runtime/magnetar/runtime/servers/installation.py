"""A distribution in the user's cache: fetched, checked and unpacked once, whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from magnetar.runtime.servers.archive import unpack, verify
from magnetar.runtime.servers.distribution import Distribution, Fetch, Progress, silent
from magnetar.runtime.servers.errors import ArchiveBroken, DataBusy, DownloadBroken, NoSpace, PathUnusable
from magnetar.runtime.servers.locks import locked

if TYPE_CHECKING:
    from collections.abc import Callable

_TRIES = 3
_SPARE_BYTES = 64 * 1024 * 1024
_OTHERS_SECONDS = 1800.0


def free_bytes(path: Path) -> int:
    """What an ordinary user may still write on the disk of an existing path."""
    return shutil.disk_usage(path).free


def make_room(data: Path, needed: int, free: Callable[[Path], int] = free_bytes) -> None:
    """Make a server's directory; raises `NoSpace` where its disk has less than `needed` bytes left."""
    data.mkdir(parents=True, exist_ok=True)
    if (found := free(data)) < needed:
        raise NoSpace(data, needed, found)


def require_plain(*paths: Path) -> None:
    """Raises `PathUnusable` for a path with a blank in it, which Pulsar's scripts take for two."""
    for path in paths:
        if any(letter.isspace() for letter in str(path)):
            raise PathUnusable(path)


def install(
    distribution: Distribution,
    cache: Path,
    fetch: Fetch,
    progress: Progress = silent,
    free: Callable[[Path], int] = free_bytes,
) -> Path:
    """The directory of the unpacked distribution, fetched now if it is not yet there.

    The directory appears by one rename, so what exists is complete; processes that want it at the same time wait
    for the first one. A broken download is tried three times in all. Raises the errors of *getting it*, and `NoSpace`.
    """
    shelf = cache / distribution.artifact
    home = shelf / f"{distribution.version}-{distribution.sha512[:12]}"
    if not home.is_dir():
        shelf.mkdir(parents=True, exist_ok=True)
        progress("preparing", 0, 0)
        with locked(shelf / "lock", _OTHERS_SECONDS, DataBusy(shelf)):
            if not home.is_dir():
                _bring(distribution, home, fetch, progress, free)
    return home


def _bring(
    distribution: Distribution, home: Path, fetch: Fetch, progress: Progress, free: Callable[[Path], int]
) -> None:
    """Only under the lock, so every `partial-…` beside `home` was left by a process that is dead."""
    for leftover in home.parent.glob("partial-*"):
        shutil.rmtree(leftover)
    needed = distribution.size_bytes + distribution.unpacked_bytes + _SPARE_BYTES
    if (found := free(home.parent)) < needed:
        raise NoSpace(home.parent, needed, found)
    with tempfile.TemporaryDirectory(prefix="partial-", dir=home.parent) as partial:
        archive = _fetched(distribution, Path(partial), fetch, progress)
        _place(archive, Path(partial, "unpacked"), home, distribution, progress)


def _fetched(distribution: Distribution, partial: Path, fetch: Fetch, progress: Progress) -> Path:
    """Each try gets an empty directory: a downloader takes a file it finds there for a finished one."""
    for tries in range(1, _TRIES + 1):
        into = partial / f"try-{tries}"
        into.mkdir()
        try:
            archive = fetch(distribution, into, progress)
            verify(archive, distribution, progress)
        except DownloadBroken:
            shutil.rmtree(into)
            if tries == _TRIES:
                raise
        else:
            return archive
    raise AssertionError


def _place(archive: Path, unpacked: Path, home: Path, distribution: Distribution, progress: Progress) -> None:
    try:
        unpack(archive, unpacked, distribution, progress)
    except OSError as problem:
        if problem.errno == errno.ENOSPC:
            raise NoSpace(home.parent, distribution.unpacked_bytes, free_bytes(home.parent)) from problem
        raise
    if not (unpacked / distribution.folder).is_dir():
        raise ArchiveBroken(archive, f"it has no directory {distribution.folder}")
    (unpacked / distribution.folder).rename(home)
    _sync(home.parent)


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
