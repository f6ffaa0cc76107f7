"""An archive is what was pinned, or it is not unpacked."""

from __future__ import annotations

import gzip
import hashlib
import os
import tarfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from magnetar.runtime.servers.errors import ArchiveBroken, ChecksumMismatch, DownloadBroken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from magnetar.runtime.servers.distribution import Distribution, Progress

_CHUNK_BYTES = 1024 * 1024


def verify(archive: Path, distribution: Distribution, progress: Progress) -> None:
    """Raise `DownloadBroken` for a file that ends early, `ChecksumMismatch` for another one than the pinned."""
    size = archive.stat().st_size
    if size < distribution.size_bytes:
        raise DownloadBroken(str(distribution), f"it ended after {size} of {distribution.size_bytes} bytes")
    digest = hashlib.sha512()
    with archive.open("rb") as file:
        for chunk in _chunks(file):
            digest.update(chunk)
            progress("checking", file.tell(), size)
    if digest.hexdigest() != distribution.sha512:
        raise ChecksumMismatch(archive, distribution.sha512, digest.hexdigest())


def unpack(archive: Path, into: Path, distribution: Distribution, progress: Progress) -> None:
    """Write every file of the archive below `into`, each forced to the disk; owners and odd modes are left behind.

    Raises `ArchiveBroken` for a damaged archive, and for a member that is neither file nor directory or lies outside.
    """
    done = 0
    try:
        with tarfile.open(archive, "r:gz") as members:
            for member in members:
                _write(members, member, into / _inside(archive, member))
                done += member.size
                progress("unpacking", done, distribution.unpacked_bytes)
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as problem:
        raise ArchiveBroken(archive, str(problem)) from problem


def _inside(archive: Path, member: tarfile.TarInfo) -> PurePosixPath:
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts or not (member.isfile() or member.isdir()):
        raise ArchiveBroken(archive, f"{member.name} is not a plain file or directory inside it")
    return path


def _write(members: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    if member.isdir():
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    content = members.extractfile(member)
    if content is None:
        message = f"{member.name} has no content"
        raise tarfile.ReadError(message)
    with content, target.open("xb") as file:
        for chunk in _chunks(content):
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())  # a power cut after the rename must not leave an empty jar behind it
    target.chmod(0o755 if member.mode & 0o100 else 0o644)


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK_BYTES):
        yield chunk
