"""A distribution is in the cache whole, or not at all; whatever goes wrong on the way says what it is."""

from __future__ import annotations

import signal
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from magnetar.runtime.servers.errors import ArchiveBroken, ChecksumMismatch, DownloadBroken, NoSpace
from magnetar.runtime.servers.installation import install
from magnetar.runtime.servers.maven import fetch_from_file
from tests.unit.servers.conftest import FILES, Repository, disk_usage_without_room, packed, pinned

if TYPE_CHECKING:
    from magnetar.runtime.servers.distribution import Distribution, Progress

WHOLE = packed(FILES)
TINY = pinned(WHOLE)
SHELF = "tiny"
# What a process that is killed in the middle of its download runs.
STALLED = """
import sys
from pathlib import Path
import msgspec
from magnetar.runtime.servers.distribution import Distribution
from magnetar.runtime.servers.installation import install

def fetch(distribution, into, progress):
    (into / "half").write_bytes(b"half")
    print("fetching", flush=True)
    sys.stdin.read()

install(msgspec.json.decode(sys.argv[2], type=Distribution), Path(sys.argv[1]), fetch)
"""


def test_every_file_arrives_as_it_was_packed(tmp_path: Path) -> None:
    """Contents are equal, programs stay programs, and all belongs to whoever installs it."""
    home = install(TINY, tmp_path, Repository([WHOLE]))
    found = {f"tiny-1/{path.relative_to(home)}": path.read_bytes() for path in home.rglob("*") if path.is_file()}
    assert found == {name: content for name, (_, content) in FILES.items()}
    assert stat.S_IMODE((home / "bin" / "pulsar").stat().st_mode) == 0o755
    assert stat.S_IMODE((home / "conf" / "standalone.conf").stat().st_mode) == 0o644
    assert (home / "bin" / "pulsar").owner() == Path(tmp_path).owner()


def test_nothing_but_the_distribution_is_kept(tmp_path: Path) -> None:
    """The archive and all intermediate files are gone."""
    home = install(TINY, tmp_path, Repository([WHOLE]))
    assert sorted(path.name for path in (tmp_path / SHELF).iterdir()) == sorted([home.name, "lock"])


def test_what_is_installed_is_not_fetched_again(tmp_path: Path) -> None:
    """The second call only looks."""
    repository = Repository([WHOLE])
    assert install(TINY, tmp_path, repository) == install(TINY, tmp_path, repository)
    assert repository.calls == 1


def test_progress_tells_every_step(tmp_path: Path) -> None:
    """Each step is named in order and ends at its last byte."""
    told: dict[str, tuple[int, int]] = {}

    def progress(step: str, done: int, total: int) -> None:
        told[step] = (done, total)

    install(TINY, tmp_path, Repository([WHOLE]), progress)
    assert list(told) == ["preparing", "downloading", "checking", "unpacking"]
    assert told["checking"] == (len(WHOLE), len(WHOLE))
    assert told["unpacking"][0] == sum(len(content) for _, content in FILES.values())


def test_a_download_that_ends_early_is_tried_again(tmp_path: Path) -> None:
    """A connection lost once costs one more try, from an empty directory."""
    repository = Repository([WHOLE[:-1], WHOLE])
    assert (install(TINY, tmp_path, repository) / "bin").is_dir()
    assert repository.calls == 2


def test_a_download_that_never_arrives_whole_is_broken(tmp_path: Path) -> None:
    """After three tries it is told how far it came, and nothing is left to be mistaken for a server."""
    repository = Repository([WHOLE[:100]])
    with pytest.raises(DownloadBroken, match=f"ended after 100 of {len(WHOLE)} bytes") as told:
        install(TINY, tmp_path, repository)
    assert told.value.artifact == "org.example:tiny:1:tar.gz:bin"
    assert repository.calls == 3
    assert [path.name for path in (tmp_path / SHELF).iterdir()] == ["lock"]


@pytest.mark.parametrize("wrong", [WHOLE[:-1] + bytes([WHOLE[-1] ^ 1]), WHOLE + b"more"], ids=["changed", "longer"])
def test_another_file_than_the_pinned_one_is_refused(tmp_path: Path, wrong: bytes) -> None:
    """A file with another checksum is not unpacked, and not asked for again: it would be the same."""
    repository = Repository([wrong])
    with pytest.raises(ChecksumMismatch) as told:
        install(TINY, tmp_path, repository)
    assert told.value.expected == TINY.sha512 != told.value.found
    assert repository.calls == 1
    assert [path.name for path in (tmp_path / SHELF).iterdir()] == ["lock"]


def test_a_full_disk_is_told_before_anything_is_fetched(tmp_path: Path) -> None:
    """The room for archive and contents is asked for first."""
    repository = Repository([WHOLE])
    with pytest.raises(NoSpace) as told:
        install(TINY, tmp_path, repository, free=disk_usage_without_room)
    assert told.value.free == 1_000_000 < told.value.needed
    assert repository.calls == 0


@pytest.mark.parametrize(
    "archive",
    [
        packed({**FILES, "tiny-1/../../outside": (0o644, b"!")}),
        packed({**FILES, "/outside": (0o644, b"!")}),
        packed(FILES, links={"tiny-1/link": "/etc/passwd"}),
        packed({"other-1/file": (0o644, b"")}),
        WHOLE[: len(WHOLE) // 2],
        b"no archive at all",
    ],
    ids=["above", "absolute", "link", "other-folder", "half", "text"],
)
def test_an_archive_that_is_no_distribution_is_refused(tmp_path: Path, archive: bytes) -> None:
    """Even a pinned archive writes nothing outside its directory, and is installed whole or not at all."""
    with pytest.raises(ArchiveBroken):
        install(pinned(archive), tmp_path, Repository([archive]))
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")] == [SHELF, f"{SHELF}/lock"]


@given(place=st.integers(0, len(WHOLE) - 1), flipped=st.integers(1, 255))
def test_a_damaged_archive_is_never_half_installed(
    tmp_path_factory: pytest.TempPathFactory, place: int, flipped: int
) -> None:
    """Whichever byte is wrong: a directory with every file in it, or the one typed error and no directory."""
    damaged = WHOLE[:place] + bytes([WHOLE[place] ^ flipped]) + WHOLE[place + 1 :]
    cache = tmp_path_factory.mktemp("cache")
    try:
        home = install(pinned(damaged), cache, Repository([damaged]))
    except ArchiveBroken:
        assert [path.name for path in (cache / SHELF).iterdir()] == ["lock"]
    else:
        assert home.is_dir()


def test_what_a_killed_process_left_is_cleared(tmp_path: Path) -> None:
    """Killed in the middle of a download, it holds no lock any more, and its half a file is gone after the next try."""
    command = [sys.executable, "-c", STALLED, str(tmp_path), msgspec.json.encode(TINY).decode()]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as killed:
        assert killed.stdout is not None
        assert killed.stdout.readline() == b"fetching\n"
        killed.send_signal(signal.SIGKILL)
    assert len(list((tmp_path / SHELF).glob("partial-*"))) == 1
    home = install(TINY, tmp_path, Repository([WHOLE]))
    assert sorted(path.name for path in (tmp_path / SHELF).iterdir()) == sorted([home.name, "lock"])


def test_two_at_once_fetch_once(tmp_path: Path) -> None:
    """The second waits for the first and takes what that one installed."""
    entered, both_there = threading.Event(), threading.Event()
    repository = Repository([WHOLE])

    def fetch(distribution: Distribution, into: Path, progress: Progress) -> Path:
        entered.set()
        assert both_there.wait(20)
        return repository(distribution, into, progress)

    def tell_that_it_asks(step: str, _done: int, _total: int) -> None:
        if step == "preparing":
            both_there.set()

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(install, TINY, tmp_path, fetch)
        assert entered.wait(20)
        second = pool.submit(install, TINY, tmp_path, fetch, tell_that_it_asks)
        assert first.result(20) == second.result(20)
    assert repository.calls == 1


def test_an_archive_from_a_file_is_checked_the_same(tmp_path: Path) -> None:
    """Brought by hand, a right file is installed and stays, and a wrong one is refused and stays."""
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    right.write_bytes(WHOLE)
    wrong.write_bytes(WHOLE[::-1])
    with pytest.raises(ChecksumMismatch):
        install(TINY, tmp_path, fetch_from_file(wrong))
    assert install(TINY, tmp_path, fetch_from_file(right)).is_dir()
    assert (right.read_bytes(), wrong.read_bytes()) == (WHOLE, WHOLE[::-1])
    with pytest.raises(DownloadBroken, match="is not a file"):
        install(pinned(b"other"), tmp_path, fetch_from_file(tmp_path / "missing"))
