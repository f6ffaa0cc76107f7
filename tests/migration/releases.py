"""Whose code a process runs: a release's, out of its wheel, or this work tree's."""

from __future__ import annotations

import os
import sys
import sysconfig
import zipfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
WHEELS = Path(__file__).parent / "released"


@dataclass(frozen=True)
class Release:
    """A released version: the SHA-256 of its wheel, which is kept here because it must never change again.

    `stores` are the kinds of store that it knows.
    """

    version: str
    sha256: str
    stores: tuple[str, ...]

    @property
    def wheel(self) -> Path:
        """Built from the tag of this version."""
        return WHEELS / f"magnetar-{self.version}-py3-none-any.whl"


# A new release is put on this list when it is tagged: from 0.2.0 on with "postgresql" too, which 0.1.0 does not know.
RELEASES = [
    Release("0.1.0", "f7a42bb2d5e54fd5e7143df9bb6c2dd09ec5413bc9a7679b6110f4cdd625f4fc", ("sqlite",)),
]


@dataclass(frozen=True)
class Code:
    """How to run a module of these tests with somebody's code. `home` is where `magnetar` must come from."""

    home: Path
    python: tuple[str, ...]
    environment: dict[str, str]


def present() -> Code:
    """This work tree, as it is installed for the tests."""
    return Code(ROOT, (sys.executable,), dict(os.environ))


def unpacked(release: Release, folder: Path) -> Code:
    """The release in a folder of its own, with the dependencies of the tests.

    `-S` reads no `.pth` file: the editable install of this work tree is not seen. What is named in `PYTHONPATH` is.
    """
    with zipfile.ZipFile(release.wheel) as wheel:
        wheel.extractall(folder)
    lent = dict.fromkeys((sysconfig.get_path("purelib"), sysconfig.get_path("platlib")))
    path = os.pathsep.join([str(folder), *lent, str(ROOT)])
    return Code(folder, (sys.executable, "-S"), os.environ | {"PYTHONPATH": path})
