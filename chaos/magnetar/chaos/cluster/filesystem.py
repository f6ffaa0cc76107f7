"""A small ext4 file system in a file: its power can fail, it can hang, and it can turn read-only.

Root's alone, with loop devices and `e2fsprogs`; the kernel takes a loop device back with its mount.
"""

from __future__ import annotations

import fcntl
import os
import struct
import time
from pathlib import Path

from magnetar.chaos.cluster.errors import CommandFailed
from magnetar.chaos.cluster.running import run

_SHUTDOWN, _WITHOUT_THE_LOG = 0x8004587D, 2  # FS_IOC_SHUTDOWN: nothing of what is only in memory is written
# Made in 3 ms and mounted in 5: nothing is written ahead, nothing is kept for root or for growing.
_MAKING = ("-q", "-m", "0", "-N", "8192", "-J", "size=8", "-O", "^resize_inode")
_LAZILY = "nodiscard,lazy_itable_init=1,lazy_journal_init=1"
_MOUNTING = "loop,noatime,noinit_itable,discard,errors=remount-ro"
SECTOR = 512
BLOCK = bytes(8 * SECTOR)
"""What is written to try one."""
_BUSY_SECONDS = 5.0
_POLL_SECONDS = 0.02


def make(image: Path, size: int) -> None:
    """An empty one of so many bytes, which takes room as it is written. Raises `CommandFailed`."""
    with image.open("wb") as file:
        file.truncate(size)
    run("mkfs.ext4", *_MAKING, "-E", _LAZILY, str(image))


def mount(image: Path, place: Path) -> None:
    """Raises `CommandFailed`."""
    run("mount", "-o", _MOUNTING, str(image), str(place))


def unmount(place: Path) -> None:
    """A program that has just ended may hold it for a moment. Raises `CommandFailed` if it is held for longer."""
    deadline = time.monotonic() + _BUSY_SECONDS
    while place.is_mount():
        try:
            run("umount", str(place))
        except CommandFailed:
            if time.monotonic() >= deadline:
                raise
            time.sleep(_POLL_SECONDS)


def write(path: Path, *, force: bool) -> None:
    """A block, handed to the kernel, and forced to the disk if so told. Raises `OSError`."""
    with path.open("wb") as file:
        file.write(BLOCK)
        file.flush()
        if force:
            os.fsync(file.fileno())


def rot(path: Path, first: int) -> int:
    """Flip a bit in the middle of each sector of what was written from this byte on; how many. Raises `OSError`."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        places = range(first + SECTOR // 2, size, SECTOR)
        for place in places:
            file.seek(place)
            byte = file.read(1)[0]
            file.seek(place)
            file.write(bytes([byte ^ 1]))
    return len(places)


def lose_power(place: Path) -> None:
    """What was not forced to the disk is gone; nothing is written or read any more until it is mounted anew."""
    handle = os.open(place, os.O_RDONLY)
    try:
        fcntl.ioctl(handle, _SHUTDOWN, struct.pack("I", _WITHOUT_THE_LOG))
    finally:
        os.close(handle)


def fail(place: Path) -> None:
    """As when it finds an error in itself: it takes no writes, open files included, until it is mounted anew.

    A remount would be refused while somebody has a file open to write.
    """
    device = place.stat().st_dev
    name = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}").resolve().name
    Path(f"/sys/fs/ext4/{name}/trigger_fs_error").write_text("made to fail by a chaos run", encoding="ascii")


def freezing(place: Path) -> tuple[str, ...]:
    """The command after which writes hang, and so does whoever writes, for SIGKILL too."""
    return ("fsfreeze", "--freeze", str(place))


def thawing(place: Path) -> tuple[str, ...]:
    """The command that undoes it. It is owed before the deed: who hangs there cannot be ended by anybody."""
    return ("fsfreeze", "--unfreeze", str(place))
