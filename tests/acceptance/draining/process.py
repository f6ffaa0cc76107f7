"""A worker as a process, with the in-process bus, a SQLite file, and a sender of its own.

Usage: `python -m tests.acceptance.draining.process STORE_PATH [hang|break]`. It prints `busy` once messages flow, runs
until a signal, and then says as one line of JSON what was sent, what the broker still has, and what it published.
`hang` sends a message whose handler takes for ever, and prints `hanging` from it; `break` one whose handler raises.
"""

from __future__ import annotations

import json
import sys
import threading
import time

from magnetar.runtime import Actor, App, Client, Command, Context, Event, Key, Policy, State, replace
from magnetar.runtime.bus.memory import Broker
from magnetar.runtime.compose.places import EmbeddedBus, provision_embedded, store_place
from magnetar.runtime.compose.process import run_until_signal
from magnetar.runtime.compose.running import RunningWorker
from magnetar.runtime.errors import BrokenPromise
from magnetar.runtime.threads.loop import wall_clock


class Add(Command):
    """Add one."""

    counter: Key


class Hang(Command):
    """Take for ever."""

    counter: Key


class Break(Command):
    """End the worker: what a handler raises of its own fails its message only."""

    counter: Key


class Added(Event):
    """One was added."""

    counter: Key


class Counter(State):
    """A sum."""

    total: int = 0


counters = Actor("counters", Counter, publishes=[Added], policy=Policy(partitions=4))
counting = App("counting", counters)


@counters.handles
def add(counter: Counter, message: Add, context: Context) -> Counter:
    """Add it, tell it."""
    context.publish(Added(counter=message.counter))
    return replace(counter, total=counter.total + 1)


@counters.handles
def hang(counter: Counter, message: Hang, context: Context) -> Counter:
    """Wait for ever."""
    say("hanging")
    while True:
        time.sleep(1)


@counters.handles
def snap(counter: Counter, message: Break, context: Context) -> Counter:
    """Raise what only the engine does."""
    text = f"snapped at {context.key}"
    raise BrokenPromise(text)


def say(line: str) -> None:
    """A line for the test."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


class Sender:
    """Sends, a few at a time, until told to stop; counts what the broker has stored."""

    def __init__(self, client: Client, trouble: str) -> None:
        """`trouble` is sent in between."""
        self.sent = 0
        self._client = client
        self._trouble = trouble
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the batch in hand."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._client.send_all([(Add(counter=f"k-{each % 50}"), None) for each in range(100)])
            self.sent += 100
            self._stop.wait(0.005)  # the worker is in this process: it must get its turn
            if self.sent == 1000:
                say("busy")
                self._trouble_now()

    def _trouble_now(self) -> None:
        if self._trouble == "hang":
            self._client.send(Hang(counter="k"))
        elif self._trouble == "break":
            self._client.send(Break(counter="k"))


def main() -> int:
    """Run until a signal."""
    path, trouble = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""
    wiring, broker = counting.wire(), Broker(wall_clock)
    provision_embedded(broker, wiring)
    bus = EmbeddedBus(broker)
    worker = RunningWorker(wiring, bus, store_place(f"sqlite:///{path}"), handler_deadline=60.0)
    sender = Sender(Client(wiring, bus.connect("sender")), trouble)
    sender.start()
    status = run_until_signal(worker, poll=0.02)
    sender.stop()
    partitions = range(4)
    left = sum(broker.backlog("counters", each, "magnetar-counters") for each in partitions)
    published = sum(len(broker.log("counters-events", each)) for each in partitions)
    say(json.dumps({"sent": sender.sent, "left": left, "published": published}))
    return status


if __name__ == "__main__":
    sys.exit(main())
