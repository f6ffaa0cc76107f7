"""Processes under a supervisor: spawned, never forked, watched, ended in order; and none outlives it.

Each child's standard input is a pipe that nobody writes to. The supervisor holds the other end, so that the pipe
ends when the supervisor does, however it ends; a child with a `Lifeline` then drains as after SIGTERM.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from magnetar.runtime.threads.supervision import FAILED, Deed, Supervision

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_log = logging.getLogger("magnetar.processes")


class Processes:
    """The children of one supervisor. Methods are called by the main thread; `kill_all` also by its signal handler."""

    def __init__(self, command: Callable[[int], Sequence[str]], supervision: Supervision) -> None:
        """`command` of each place; its first word is a program, looked for as a shell does."""
        self._command = command
        self._supervision = supervision
        self._children: dict[int, subprocess.Popen[bytes]] = {}
        self._deeds = {Deed.START: self._start, Deed.TERMINATE: self._terminate, Deed.KILL: self._kill}

    def run(self, asked: threading.Event, poll: float = 0.1) -> int:
        """Until all is over; returns the exit status. `asked` lets all of them drain; `poll` in seconds."""
        try:
            while (status := self._turn(asked)) is None:
                if asked.is_set():
                    time.sleep(poll)
                else:
                    asked.wait(poll)
            return status
        finally:
            self.kill_all()

    def kill_all(self) -> None:
        """End all of them at once. What they had not committed comes again."""
        for child in list(self._children.values()):
            child.kill()

    def _turn(self, asked: threading.Event) -> int | None:
        if asked.is_set():
            self._supervision.stop(time.monotonic())
        for place, child in list(self._children.items()):
            status = child.poll()
            if status is not None:
                self._forget(place)
                self._supervision.ended(place, status, time.monotonic())
        for deed, place in self._supervision.step(time.monotonic()):
            self._deeds[deed](place)
        return self._supervision.finished(time.monotonic())

    def _start(self, place: int) -> None:
        """In a session of its own: Ctrl-C on the terminal reaches the supervisor only, which asks its children once."""
        try:
            child = subprocess.Popen(  # noqa: S603 - the command is our own
                self._command(place), stdin=subprocess.PIPE, start_new_session=True
            )
        except OSError as error:  # no memory, no file descriptors, no such program: as if it had died at once
            _log.error("process %d cannot be started: %s", place, error)
            self._supervision.ended(place, FAILED, time.monotonic())
            return
        self._children[place] = child
        self._supervision.started(place, time.monotonic())
        _log.info("process %d is %d", place, child.pid)

    def _terminate(self, place: int) -> None:
        self._children[place].terminate()

    def _kill(self, place: int) -> None:
        _log.error("process %d did not end in time: it is killed", place)
        self._children[place].kill()

    def _forget(self, place: int) -> None:
        pipe = self._children.pop(place).stdin
        if pipe is not None:
            with suppress(OSError):  # nothing was written: there is nothing to lose
                pipe.close()


class Lifeline:
    """A child's end of the pipe: a daemon thread that asks this very process to drain when the supervisor is gone."""

    def __init__(self, end: int = 0) -> None:
        """`end`: the file descriptor of the pipe, standard input."""
        self._end = end
        self._thread = threading.Thread(target=self._run, name="magnetar-lifeline", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with suppress(OSError):  # no pipe there, or it broke: then there is no supervisor either
            while os.read(self._end, 4096):
                pass
        _log.warning("the supervisor is gone: draining")
        os.kill(os.getpid(), signal.SIGTERM)
