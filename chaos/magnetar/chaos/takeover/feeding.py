"""The report's end of the load: its process, what it is told, and what it wrote down."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import msgspec

from magnetar.chaos.takeover.load import Published, Said
from magnetar.runtime.errors import MagnetarError

if TYPE_CHECKING:
    from pathlib import Path

GONE_SECONDS = 20.0


class LoadFailed(MagnetarError):
    """The load has ended before it was told to; what it said is in its log."""


class Feeder:
    """The customers' process, from the first order to the last."""

    def __init__(self, bus: str, folder: Path, seed: int, partitions: int) -> None:
        """Starts it, and waits until the shelves are full. Raises `LoadFailed`."""
        self._record = folder / "published.jsonl"
        self._log = folder / "load.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                [
                    *(sys.executable, "-m", "magnetar.chaos.takeover.load"),
                    *(bus, str(self._record), str(seed), str(partitions)),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # Ctrl-C at the terminal is the report's alone
            )
        self._await("stocked")

    def steady(self, row: str, rate: float) -> None:
        """So many orders a second from now on, of this row."""
        self._say(Said(row, rate=rate))

    def burst(self, row: str, orders: int, among: list[int] | None = None) -> None:
        """So many orders at once, to these partitions in turn."""
        self._say(Said(row, burst=orders, among=among or []))

    def stop(self) -> list[Published]:
        """End it, and read what it published. Raises `LoadFailed`."""
        self._tell(Said("", rate=0.0, stop=True))
        self._await("stopping")
        self._await("gone")
        self._process.wait(GONE_SECONDS)
        with self._record.open("rb") as lines:
            return [msgspec.json.decode(line, type=Published) for line in lines]

    def dismiss(self) -> None:
        """Whatever happened, it does not stay."""
        self._process.kill()
        self._process.wait(GONE_SECONDS)

    def _say(self, said: Said) -> None:
        self._tell(said)
        self._await("heard")

    def _tell(self, said: Said) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(msgspec.json.encode(said) + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError as problem:
            raise LoadFailed(self._gone()) from problem

    def _await(self, answer: str) -> None:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if line.decode().strip() != answer:
            raise LoadFailed(self._gone())

    def _gone(self) -> str:
        return f"the load has ended; see {self._log}"
