"""The provider's log: what was told is on disk, whatever happens to the process."""

from __future__ import annotations

import resource
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from magnetar.actors.providing.emulator.bank import Bank
from magnetar.actors.providing.emulator.log import Log, LogDamaged, LogInUse, read_log
from magnetar.actors.providing.wire import ChargeBody

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the log is."""
    return tmp_path / "log.jsonl"


def filled(path: Path, *keys: str) -> None:
    """Charge an order for each key, and close the log."""
    log = Log(path)
    bank = Bank(log, log.entries)
    for key in keys:
        bank.perform(key, ChargeBody(f"o-{key}", 900, "EUR"))
    log.close()


def keys(path: Path) -> list[str]:
    """Which keys have an entry."""
    return [entry.key for entry in read_log(path)]


def test_a_log_goes_on_where_it_was(path: Path) -> None:
    """Numbers and references are never given twice, and a key that is known is not done again."""
    filled(path, "a", "b")
    filled(path, "b", "c")
    assert [(entry.number, entry.key, entry.reference) for entry in read_log(path)] == [
        (1, "a", "ch_1"),
        (2, "b", "ch_2"),
        (3, "c", "ch_3"),
    ]


def test_a_torn_line_has_not_happened(path: Path) -> None:
    """The process died while it wrote, at any byte of the line: nobody was told, and the next start goes on."""
    filled(path, "a", "b")
    whole = path.read_bytes()
    last = whole.rindex(b"\n", 0, -1) + 1
    for cut in range(last, len(whole)):
        path.write_bytes(whole[:cut])
        assert keys(path) == ["a"]
        filled(path, "c")
        assert keys(path) == ["a", "c"]


def test_a_log_belongs_to_one_process(path: Path) -> None:
    """A second one would number its entries as the first does."""
    log = Log(path)
    with pytest.raises(LogInUse, match="another provider's log"):
        Log(path)
    log.close()
    Log(path).close()


@pytest.mark.parametrize(
    "line", [b"{}", b"nonsense", b'{"number":3,"key":"k","at":"","what":"charged","asked":"charge"}']
)
def test_a_line_of_somebody_else_is_told(path: Path, line: bytes) -> None:
    """A log with a hole proves nothing, so nothing goes on with it."""
    filled(path, "a")
    path.write_bytes(path.read_bytes() + line + b"\n")
    with pytest.raises(LogDamaged, match="line 2"):
        Log(path)
    path.write_bytes(b"")
    Log(path).close()


@pytest.fixture
def full_disk() -> Iterator[AbstractContextManager[None]]:
    """A context in which no file may grow beyond a size: a write ends in the middle, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield _Limited()
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


class _Limited:
    """See `full_disk`."""

    def __init__(self) -> None:
        self.size = 0
        self._before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def __enter__(self) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.size, self._before[1]))

    def __exit__(self, *error: object) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, self._before)


@pytest.mark.parametrize("room", [0, 1, 50])
def test_what_does_not_fit_on_the_disk_was_not_done(path: Path, full_disk: _Limited, room: int) -> None:
    """The asker is told of a failure; with room again, the same key is done, once, and no torn line is in between."""
    log = Log(path)
    bank = Bank(log)
    bank.perform("a", ChargeBody("o-a", 900, "EUR"))
    full_disk.size = path.stat().st_size + room
    with full_disk, pytest.raises(OSError, match=r"disk|space|File too large"):
        bank.perform("b", ChargeBody("o-b", 900, "EUR"))
    assert (bank.known("b"), keys(path)) == (None, ["a"])
    bank.perform("b", ChargeBody("o-b", 900, "EUR"))
    log.close()
    assert keys(path) == ["a", "b"]
