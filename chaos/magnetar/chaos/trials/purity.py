"""Handlers are pure: one that reads the clock, draws, or reaches outside is caught in the act, whatever the import.

While a handler runs, the interpreter tells this module of every call in its thread (`sys.setprofile`): so it does not
matter whether the app says `time.time()` or `from time import time`, nor how deep in a library it is said.
"""

from __future__ import annotations

import gc
import os
import random
import socket
import subprocess
import sys
import threading
import time
import uuid
from builtins import open as _open
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from functools import wraps
from typing import TYPE_CHECKING, Any

from magnetar.runtime import App

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping
    from types import CodeType, FrameType

    from magnetar.runtime.wiring import Wiring

_CLOCK = "take context.now"
_NOISE = "take context.new_id(), or let the message carry it"
_OUTSIDE = "let a Remote do it: context.send() it a command"

_BUILTIN: Mapping[object, tuple[str, str]] = {
    time.time: ("time.time()", _CLOCK),
    time.time_ns: ("time.time_ns()", _CLOCK),
    time.monotonic: ("time.monotonic()", _CLOCK),
    time.monotonic_ns: ("time.monotonic_ns()", _CLOCK),
    time.perf_counter: ("time.perf_counter()", _CLOCK),
    time.perf_counter_ns: ("time.perf_counter_ns()", _CLOCK),
    time.sleep: ("time.sleep()", "context.schedule() a timer"),
    datetime.now: ("datetime.now()", _CLOCK),
    datetime.utcnow: ("datetime.utcnow()", _CLOCK),  # pyright: ignore[reportDeprecated] - looked for, not called
    datetime.today: ("datetime.today()", _CLOCK),
    date.today: ("date.today()", _CLOCK),
    random.random: ("random", _NOISE),
    random.getrandbits: ("random", _NOISE),
    os.urandom: ("os.urandom()", _NOISE),
    _open: ("open()", _OUTSIDE),
}
"""Functions in C, and random's hidden generator. One's own `random.Random(seed)` is deterministic, and goes."""


def _code(function: Callable[..., object]) -> CodeType:
    return function.__code__


_PYTHON: Mapping[CodeType, tuple[str, str]] = {
    _code(uuid.uuid1): ("uuid.uuid1()", _NOISE),
    _code(uuid.uuid4): ("uuid.uuid4()", _NOISE),
    _code(threading.Thread.start): ("threading.Thread.start()", _OUTSIDE),
    _code(socket.socket.__init__): ("socket.socket()", _OUTSIDE),
    _code(subprocess.Popen.__init__): ("subprocess.Popen()", _OUTSIDE),
}
"""Functions in Python."""


_BESIDE = frozenset({"importlib", "logging", "structlog", "warnings"})


class Impure(Exception):
    """A handler did what would come out otherwise when its message is handled again."""


class Watched(App):
    """The same app, compiled once, with its handlers watched."""

    def __init__(self, app: App) -> None:
        """Raises `AppInvalid` as starting the app would."""
        super().__init__(app.name, *app.actors, remotes=app.remotes)
        self._wiring = _watched(super().wire())

    def wire(self) -> Wiring:
        """The same every time: nothing in it changes."""
        return self._wiring


def _watched(wiring: Wiring) -> Wiring:
    plans = {
        name: replace(plan, handlers={kind: _pure(handler) for kind, handler in plan.handlers.items()})
        for name, plan in wiring.actors.items()
    }
    return replace(wiring, actors=plans)


def _pure(handler: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(handler)
    def watched(*arguments: object) -> object:
        if sys.getprofile() is not None:  # somebody measures: two cannot listen at once
            return handler(*arguments)
        eye = _Eye(handler)
        try:
            with _watching(eye):
                return handler(*arguments)
        finally:
            eye.close()

    return watched


@contextmanager
def _watching(eye: _Eye) -> Generator[None]:
    """Without the collector meanwhile, which runs whatever others hang on it (finalizers, callbacks) when it is due."""
    collecting = gc.isenabled()
    gc.disable()
    sys.setprofile(eye)
    try:
        yield
    finally:
        sys.setprofile(None)
        if collecting:
            gc.enable()


class _Eye:
    """Sees one call of one handler."""

    def __init__(self, handler: Callable[..., Any]) -> None:
        self._code = code = _code(handler)
        self._handler = f"{code.co_name} ({code.co_filename.rpartition('/')[2]}:{code.co_firstlineno})"
        self._seen: Impure | None = None

    def __call__(self, frame: FrameType, event: str, argument: object) -> None:
        """What the interpreter calls. Raising here is raising in the handler."""
        if event == "c_call":
            seen = _BUILTIN.get(argument)
        elif event == "call":
            seen = _PYTHON.get(frame.f_code)
        else:
            return
        if seen is not None and not self._beside(frame):
            what, instead = seen
            self._seen = Impure(f"{self._handler} calls {what}: handled again, it would do something else; {instead}")
            raise self._seen

    def _beside(self, frame: FrameType | None) -> bool:
        """Whether the call is for a log line, a warning or an import, which change nothing of what comes out."""
        while frame is not None and frame.f_code is not self._code:
            if frame.f_globals.get("__name__", "").partition(".")[0] in _BESIDE:
                return True
            frame = frame.f_back
        return False

    def close(self) -> None:
        """The call is over: what it saw is an error, even if the handler has caught it."""
        if self._seen is not None:
            raise self._seen
