"""The emulator as a child process that may be killed and started again on the same log and port."""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
import time
from typing import IO, TYPE_CHECKING, Final

import httpx2
import msgspec

from magnetar.actors.providing.emulator.log import read_log
from magnetar.actors.providing.emulator.serving import CONTROL, Standing

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from magnetar.actors.providing.emulator.book import Entry
    from magnetar.actors.providing.emulator.conduct import Conduct

_START: Final = 30.0
_STOP: Final = 5.0


class ProviderFailed(Exception):
    """The emulator ended, or did not listen in time; the text holds what it said."""


class ProviderProcess:
    """A provider's process, started at once. Leaving the `with` ends it. One thread at a time.

    Args:
        log: its log; it goes on with what is there.
        token: what it asks for; None: nothing.
        host: the address that it listens on.

    Raises `ProviderFailed` when it does not come up within 30 s.
    """

    def __init__(self, log: Path, token: str | None = None, host: str = "127.0.0.1") -> None:
        self.log, self._token, self._host, self._port = log, token, host, 0
        self.url = ""
        self.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start it, again if it has ended: on the same port. Raises `ProviderFailed`."""
        arguments = ["--log", str(self.log), "--host", self._host, "--port", str(self._port)]
        environment = {name: value for name, value in os.environ.items() if name != "MAGNETAR_PROVIDER_TOKEN"}
        if self._token is not None:
            environment["MAGNETAR_PROVIDER_TOKEN"] = self._token
        self._process = subprocess.Popen(  # noqa: S603 - this interpreter, and no shell
            [sys.executable, "-m", "magnetar.actors.providing.emulator", *arguments],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self.url = self._listening()
        self._port = int(self.url.rpartition(":")[2])

    @property
    def pid(self) -> int | None:
        """Of its process; None while there is none."""
        return None if self._process.poll() is not None else self._process.pid

    def kill(self) -> None:
        """SIGKILL; returns when it is dead."""
        self._process.kill()
        self._ended()

    def stop(self) -> None:
        """SIGTERM, then SIGKILL if it does not listen to that within 5 s."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_STOP)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._ended()

    def behave(self, conduct: Conduct) -> None:
        """How it behaves from now on. Raises `httpx2.HTTPError`."""
        self._control("PUT", msgspec.json.encode(conduct))

    def conduct(self) -> Conduct:
        """How it says that it behaves. Raises `httpx2.HTTPError`."""
        return msgspec.json.decode(self._control("GET", b""), type=Standing).conduct

    def entries(self) -> list[Entry]:
        """What its log holds, whether it lives or not. Raises `LogDamaged`."""
        return read_log(self.log)

    def _control(self, method: str, body: bytes) -> bytes:
        headers = {} if self._token is None else {"authorization": f"Bearer {self._token}"}
        with httpx2.Client(trust_env=False) as client:
            answer = client.request(method, f"{self.url}{CONTROL}", content=body, headers=headers)
            return answer.raise_for_status().content

    def _ended(self) -> None:
        self._process.wait()
        self._output().close()

    def _output(self) -> IO[bytes]:
        assert self._process.stdout is not None, "it was started with a pipe"
        return self._process.stdout

    def _listening(self) -> str:
        """Its URL, as soon as it says that it is ready."""
        said, until = b"", time.monotonic() + _START
        with selectors.DefaultSelector() as selector:
            selector.register(self._output(), selectors.EVENT_READ)
            while not said.endswith(b"\n"):
                ready = selector.select(max(0.0, until - time.monotonic()))
                chunk = os.read(self._output().fileno(), 4_096) if ready else b""
                said += chunk
                if not chunk:
                    self.kill()
                    raise ProviderFailed(f"the provider did not come up within {_START} s: {said.decode()!r}")
        first, _, url = said.decode().strip().rpartition(" ")
        if first != "ready":
            self.kill()
            raise ProviderFailed(f"the provider did not come up: {said.decode()!r}")
        return url
