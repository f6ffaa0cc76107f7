"""Nothing real gets into a simulation: time, randomness, threads and sockets are errors while one runs."""

from __future__ import annotations

import gc
import logging
import os
import random
import secrets
import socket
import sys
import threading
import time
import uuid
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import FrameType

_DOORS: tuple[tuple[Any, str], ...] = (
    *((time, name) for name in ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "sleep")),
    *((random, name) for name in ("random", "randint", "choice", "uniform", "randbytes", "getrandbits", "shuffle")),
    (os, "urandom"),
    (secrets, "token_bytes"),
    (uuid, "uuid1"),
    (uuid, "uuid4"),
    (threading.Thread, "start"),
    (socket.socket, "connect"),
    (socket.socket, "bind"),
)

_BEHIND = frozenset(
    {
        "time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "sleep",
        "urandom", "start_new_thread", "datetime.now", "datetime.utcnow", "datetime.today", "date.today",
    }
)  # fmt: skip
"""Functions in C that could have been taken out of their module before the doors were shut."""


class Leak(BaseException):
    """A simulation looked at the real world; it would not be the same run again. Nothing may catch this."""


@contextmanager
def sealed(*, watching: bool = False) -> Generator[None]:
    """Shut the doors for a while. Log records carry the real time, so there are none meanwhile.

    `watching`: look at every call of a function in C as well, which is slow.
    """
    disabled = logging.root.manager.disable
    open_doors = [getattr(owner, name) for owner, name in _DOORS]
    logging.disable(logging.CRITICAL)
    try:
        for owner, name in _DOORS:
            setattr(owner, name, _shut(f"{owner.__name__}.{name}"))
        with _watched() if watching else nullcontext():
            yield
    finally:
        for (owner, name), door in zip(_DOORS, open_doors, strict=True):
            setattr(owner, name, door)
        logging.disable(disabled)


@contextmanager
def _watched() -> Generator[None]:
    """Without the collector meanwhile, which calls what others have hung on it, such as stop-watches."""
    before, collecting = sys.getprofile(), gc.isenabled()
    gc.disable()
    sys.setprofile(_look)
    try:
        yield
    finally:
        sys.setprofile(before)
        if collecting:
            gc.enable()


def _shut(name: str) -> Callable[..., Any]:
    def leak(*_: object, **__: object) -> None:
        message = f"{name} was called in a simulation: time, ids and threads come from outside there"
        raise Leak(message)

    return leak


def _look(frame: FrameType, event: str, argument: Any) -> None:  # noqa: ANN401 - as `sys.setprofile` has it
    name = getattr(argument, "__qualname__", "") if event == "c_call" else ""
    if name in _BEHIND:
        message = f"{name} was called in a simulation, in {frame.f_code.co_filename}:{frame.f_lineno}"
        raise Leak(message)
