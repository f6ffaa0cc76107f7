"""Which server is run: one exact archive, pinned by its SHA-512."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Protocol, TypeAlias

import msgspec


class Distribution(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A server's archive: its Maven coordinates and what it must be, byte for byte.

    `folder` is its one top-level directory; `unpacked_bytes` is what that takes on the disk, rounded up.
    """

    group: str
    artifact: str
    version: str
    classifier: str
    packaging: str
    folder: str
    size_bytes: int
    unpacked_bytes: int
    sha512: str

    def __str__(self) -> str:
        """The coordinates, as Maven writes them."""
        return f"{self.group}:{self.artifact}:{self.version}:{self.packaging}:{self.classifier}"


class Progress(Protocol):
    """Told how far a step is, in the caller's thread; both numbers in bytes, `total` 0 where it is not known."""

    def __call__(self, step: str, done: int, total: int, /) -> None:
        """Show it; what this raises ends the step."""


def silent(step: str, done: int, total: int) -> None:
    """The progress that is not shown."""


Fetch: TypeAlias = Callable[[Distribution, Path, Progress], Path]
"""Brings an archive into a directory of its own and returns the file; raises `DownloadBroken`, never checks sums."""


def pinned_pulsar() -> Distribution:
    """The Pulsar that this release of Magnetar is tested on."""
    text = files("magnetar.runtime.servers").joinpath("pulsar.lock.json").read_bytes()
    return msgspec.json.decode(text, type=Distribution)
