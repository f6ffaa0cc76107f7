"""Runs the system's own tools, and takes no failure for a success."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from magnetar.chaos.cluster.errors import CommandFailed

if TYPE_CHECKING:
    from collections.abc import Iterable

SECONDS = 10.0


def run(*command: str, given: str | None = None) -> str:
    """What it printed. Raises `CommandFailed`, also after 10 s."""
    try:
        done = subprocess.run(  # noqa: S603 - our own words
            command, input=given, capture_output=True, text=True, check=False, timeout=SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise CommandFailed(command, str(problem)) from problem
    if done.returncode != 0:
        raise CommandFailed(command, done.stderr.strip() or f"exit status {done.returncode}")
    return done.stdout


def batch(lines: Iterable[str], *, namespace: str | None = None) -> None:
    """Many commands of `ip` in one process. Raises `CommandFailed`."""
    where = () if namespace is None else ("-n", namespace)
    run("ip", *where, "-batch", "-", given="\n".join(lines) + "\n")
