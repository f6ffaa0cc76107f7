"""The provider's log: a line of JSON for each entry, on disk before anybody is told. It is what checkers read.

A file that is only appended to is the simplest thing that survives a SIGKILL between any two instructions: an entry
whose line is whole has happened, one whose line is not has not, and nobody has been told of it.
"""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from magnetar.actors.providing.emulator.book import Entry

if TYPE_CHECKING:
    from pathlib import Path


class LogInUse(Exception):
    """Another process has this log open."""

    def __init__(self, path: Path) -> None:
        """Which."""
        super().__init__(f"{path} is another provider's log: stop that one, or choose another file")


class LogDamaged(Exception):
    """A line of the log, other than a torn last one, is none of ours."""

    def __init__(self, path: Path, number: int, why: str) -> None:
        """Which line of which file."""
        super().__init__(f"{path}, line {number}: {why}; put it aside, or mend it by hand")


class Log:
    """An open log. One process at a time; its caller sees to one thread at a time."""

    def __init__(self, path: Path) -> None:
        """Made if it is not there. A last line that is torn is cut off. Raises `LogInUse`, `LogDamaged`, `OSError`."""
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as taken:
                raise LogInUse(path) from taken
            self.entries = read_log(path)
            self._size = _whole(path.read_bytes())
            os.ftruncate(self._file, self._size)
            os.fsync(self._file)
            _sync_folder(path.parent)
        except BaseException:
            os.close(self._file)
            raise

    def append(self, entry: Entry) -> None:
        """On disk when this returns. Raises `OSError`, and then it is not there.

        Where even that cannot be seen to, nothing is appended any more: after the next start the file tells.
        """
        line = msgspec.json.encode(entry) + b"\n"
        try:
            self._write(line)
        except OSError:
            self._take_back()
            raise
        self._size += len(line)

    def _write(self, line: bytes) -> None:
        if os.write(self._file, line) < len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(self._file)

    def _take_back(self) -> None:
        try:
            os.ftruncate(self._file, self._size)
            os.fsync(self._file)
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Another process may open it."""
        with suppress(OSError):
            os.close(self._file)


def read_log(path: Path) -> list[Entry]:
    """Every entry, in order; also of a log that is being written. Raises `LogDamaged`."""
    whole = path.read_bytes()
    lines = whole[: _whole(whole)].splitlines()
    entries: list[Entry] = []
    for number, line in enumerate(lines, 1):
        try:
            entry = msgspec.json.decode(line, type=Entry)
        except msgspec.DecodeError as failure:
            raise LogDamaged(path, number, str(failure)) from failure
        if entry.number != number:
            raise LogDamaged(path, number, f"it says that it is entry {entry.number}")
        entries.append(entry)
    return entries


def _whole(text: bytes) -> int:
    """Bytes up to the end of the last whole line."""
    return text.rfind(b"\n") + 1


def _sync_folder(folder: Path) -> None:
    """The file's name is on disk too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
