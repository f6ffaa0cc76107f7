"""Locks between processes: files held with `flock`, which the kernel frees when the holder dies, however it dies."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

_POLL_SECONDS = 0.05


def try_lock(path: Path) -> int | None:
    """The descriptor of the lock now held, or None when another process holds it.

    A child that inherits the descriptor holds the lock too: it is free when the last of them is gone.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


@contextmanager
def locked(path: Path, within: float, otherwise: Exception) -> Generator[None]:
    """Hold the lock for the block; raise `otherwise` when it could not be had for `within` seconds."""
    deadline = time.monotonic() + within
    while (descriptor := try_lock(path)) is None:
        if time.monotonic() >= deadline:
            raise otherwise
        time.sleep(_POLL_SECONDS)
    try:
        yield
    finally:
        os.close(descriptor)
