"""A worker as a process whose handlers may end it. `main` takes the app's name, the bus's URL and the store's."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from pathlib import Path

from magnetar.runtime import Actor, App, Command, Context, Key, Policy, Retry, State, replace
from magnetar.runtime.compose.places import bus_place, store_place
from magnetar.runtime.compose.process import run_until_signal
from magnetar.runtime.compose.running import RunningWorker

LIMIT = 2
DEADLINE = 1.0
SPARE = 64 * 1024 * 1024


class Brew(Command):
    """Brew; `manner` is how that ends its worker, '' for not at all."""

    cup: Key
    word: str
    manner: str = ""


class Cup(State):
    """What was brewed, in order."""

    words: tuple[str, ...] = ()


cups = Actor(
    "cups", Cup, policy=Policy(partitions=1, deadline=DEADLINE, retry=Retry(tiers=(0.3,), crashes=LIMIT, jitter=0.0))
)


def _exit() -> None:
    os._exit(3)


def _fall() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def _hang() -> None:
    while True:
        pass


def _hoard() -> None:
    """As a library in C++ that finds no memory: Python's own code would raise `MemoryError`, which is a failure."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + SPARE, hard))
    allocate = ctypes.CDLL("libstdc++.so.6")._Znwm  # `operator new`
    allocate(ctypes.c_size_t(16 * SPARE))


MANNERS = {"exit": _exit, "segfault": _fall, "hang": _hang, "memory": _hoard}


@cups.handles
def brew(cup: Cup, message: Brew, _: Context) -> Cup:
    """Brew, or end."""
    if message.manner:
        MANNERS[message.manner]()
    return replace(cup, words=(*cup.words, message.word))


def app(name: str) -> App:
    """The app under a name of its own."""
    return App(name, cups)


def main() -> None:
    """Run until a signal, or until a handler ends it."""
    name, bus, admin, store = sys.argv[1:]
    place = bus_place(bus, name, admin=admin)
    sys.exit(run_until_signal(RunningWorker(app(name).wire(), place, store_place(store)), poll=0.02))
