"""The installed program as a process, whose lines are waited for, never slept for."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Self

MAGNETAR = str(Path(sys.executable).with_name("magnetar"))
PATIENCE = 60.0


class Program:
    """One running `magnetar …`; killed at the end of the block if it still runs."""

    def __init__(self, folder: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
        self._stderr = folder / "stderr.txt"
        with self._stderr.open("ab") as stderr:
            self._process = subprocess.Popen(
                [MAGNETAR, *arguments],
                cwd=folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env={**os.environ, "COLUMNS": "140", **(environment or {})},
            )
        self._lines: SimpleQueue[str | None] = SimpleQueue()
        self.seen: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join(PATIENCE)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()

    @property
    def pid(self) -> int:
        """Of the process, which may have ended."""
        return self._process.pid

    @property
    def stderr(self) -> str:
        """All that was said on stderr so far."""
        return self._stderr.read_text(encoding="utf-8")

    def type(self, line: str) -> None:
        """Type a line of input."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())
        self._process.stdin.flush()

    def line(self, wanted: Callable[[str], bool]) -> str:
        """The next line of stdout that is wanted; the others are passed over."""
        until = time.monotonic() + PATIENCE
        while (left := until - time.monotonic()) > 0:
            try:
                line = self._lines.get(timeout=left)
            except Empty:
                break
            if line is None:
                break
            self.seen.append(line)
            if wanted(line):
                return line
        message = f"no such line; stdout: {self.seen}; stderr: {self.stderr}"
        raise AssertionError(message)

    def event(self, kind: str, **facts: object) -> dict[str, Any]:
        """The next JSON line of this event and with these facts on its top level."""

        def wanted(line: str) -> bool:
            found: dict[str, object] = json.loads(line)
            return found["event"] == kind and facts.items() <= found.items()

        found: dict[str, Any] = json.loads(self.line(wanted))
        return found

    def said(self, text: str) -> None:
        """Wait until stderr holds the text."""
        wait_until(lambda: text in self.stderr)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def end_of_input(self) -> None:
        """Close its stdin."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    def status(self) -> int:
        """Its exit status, once it has ended."""
        return self._process.wait(PATIENCE)

    def _read(self) -> None:
        assert self._process.stdout is not None
        while line := self._process.stdout.readline():
            self._lines.put(line.decode())
        self._lines.put(None)


def answer(
    folder: Path, *arguments: str, text: str = "", environment: Mapping[str, str] | None = None
) -> tuple[int, str]:
    """The exit status and stdout of a command that ends by itself."""
    with (folder / "stderr.txt").open("ab") as stderr:
        done = subprocess.run(
            [MAGNETAR, *arguments],
            cwd=folder,
            input=text,
            stdout=subprocess.PIPE,
            stderr=stderr,
            encoding="utf-8",
            timeout=PATIENCE,
            env={**os.environ, "COLUMNS": "140", **(environment or {})},
            check=False,
        )
    return done.returncode, done.stdout


def wait_until(there: Callable[[], bool]) -> None:
    """Look again and again until it is so, or patience ends."""
    until = time.monotonic() + PATIENCE
    pause = threading.Event()
    while not there():
        assert time.monotonic() < until, f"{there} is not so after {PATIENCE} s"
        pause.wait(0.02)
