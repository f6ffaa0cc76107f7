"""One member's process: started with a record, adopted by whoever supervises next, ended for good."""

from __future__ import annotations

import os
import shutil
import signal
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from magnetar.runtime.servers.errors import DataBusy, NotStarted
from magnetar.runtime.servers.installation import make_room
from magnetar.runtime.servers.locks import try_lock
from magnetar.runtime.servers.process import Launched, ServerProcess, recorded, start

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from magnetar.runtime.servers.cluster.record import MemberLayout

_POLL_SECONDS = 0.02
_LAUNCH_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Launch:
    """How a member is run: the text of its settings, its command, and files of its data by name.

    `forgotten`: files of its data that it does not find again. `room`: bytes that its disk must have left.
    """

    settings: str
    command: Sequence[str]
    files: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    forgotten: Sequence[str] = ()
    room: int = 0


class MemberProcess:
    """Not thread-safe: whoever supervises it holds a lock. `inside` is a block in which it is started."""

    def __init__(
        self,
        layout: MemberLayout,
        launch: Callable[[], Launch],
        *,
        tied: bool,
        inside: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self.layout = layout
        self._launch = launch
        self._tied = tied
        self._inside = inside
        self._launched: Launched | None = None
        self._process = recorded(layout.pid_file)

    @property
    def process(self) -> ServerProcess:
        """Its process; raises `NotStarted` if there is none."""
        if self._process is None or not self._process.alive():
            raise NotStarted(self.layout.directory)
        return self._process

    @property
    def alive(self) -> bool:
        """Whether it runs; a paused one does."""
        return self._process is not None and self._process.alive()

    @property
    def frozen(self) -> bool:
        """Whether somebody has stopped it with a signal (seen on Linux only)."""
        if self._process is None:
            return False
        try:
            stat = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            return False
        return stat[stat.rindex(")") + 2] in "Tt"

    def start(self, *, fresh: bool) -> None:
        """Start it; `fresh`: with a new log. Raises `DataBusy`, `ServerDied`; for a full disk `NoSpace`, `OSError`."""
        self._reap()
        layout = self.layout
        layout.directory.mkdir(exist_ok=True)
        lock = try_lock(layout.lock)
        if lock is None:
            raise DataBusy(layout.directory)
        try:
            launch = self._launch()
            make_room(layout.data, launch.room)
            self._write_files(launch, fresh=fresh)
            with self._inside():
                self._launched = start(
                    launch.command,
                    pid_file=layout.pid_file,
                    lock=lock,
                    log=layout.log,
                    environ=_environ(),
                    tied=self._tied,
                )
        finally:
            os.close(lock)
        self._process = self._launched.process

    def ask_to_end(self) -> None:
        """SIGTERM, also if it is paused."""
        if self._process is not None:
            self._process.signal(signal.SIGTERM)
            self._process.signal(signal.SIGCONT)

    def end(self, within: float) -> None:
        """Ask it to stop, kill it after `within` seconds; afterwards its directory is free."""
        if self._process is not None:
            self._process.end(within)
        settle(self.layout, within)
        self._reap()

    def kill(self) -> None:
        """SIGKILL, as a crash would."""
        if self._process is not None:
            self._process.kill()
        self._reap()

    def exit_status(self, within: float) -> int:
        """Wait for the end of a tied process, and give its exit status. Raises `ServerStuck`."""
        assert self._launched is not None
        return self._launched.reap(within)

    def _reap(self) -> None:
        if self._launched is not None:
            self._launched.reap()
            self._launched = None

    def _write_files(self, launch: Launch, *, fresh: bool) -> None:
        layout = self.layout
        shutil.rmtree(layout.scratch, ignore_errors=True)
        for directory in (layout.scratch, layout.logs, layout.data):
            directory.mkdir(exist_ok=True)
        if fresh and layout.log.exists():
            layout.log.replace(layout.log.with_suffix(".1.log"))
        layout.settings.write_text(launch.settings, encoding="utf-8")
        for name, text in launch.files.items():
            (layout.data / name).write_text(text, encoding="utf-8")
        for name in launch.forgotten:
            (layout.data / name).unlink(missing_ok=True)


def settle(layout: MemberLayout, within: float) -> None:
    """End whoever holds a member's directory, also a process that a dead supervisor was just about to start.

    Its launcher holds the lock before there is a record, so a free lock says that nothing is to come. Raises `DataBusy`
    if it cannot be had.
    """
    if not layout.directory.is_dir():
        return
    deadline = time.monotonic() + within + _LAUNCH_SECONDS
    while (lock := try_lock(layout.lock)) is None:
        process = recorded(layout.pid_file)
        if process is not None:
            process.end(within)
        if time.monotonic() >= deadline:
            raise DataBusy(layout.directory)
        time.sleep(_POLL_SECONDS)
    os.close(lock)


def _environ() -> Mapping[str, str]:
    """All that a member sees of an environment: nothing of ours, so it starts the same everywhere."""
    return {"PATH": os.defpath, "OTEL_SEMCONV_STABILITY_OPT_IN": "jvm"}
