"""One life of a worker, on a store that other releases have worked on too: `python -m tests.migration.life ERRAND`.

It has an in-process bus of its own, takes all shards, asks for every deposit of its errand, goes on until nothing is
left to do, drains, and prints what the store holds as its own code reads it. What was sent through an earlier life's
bus is gone with that life; so all deposits ever made are asked for again, under their ids, as a broker would deliver
them again. Errand and report are JSON. This file is run by released code: see `bank`.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from importlib import metadata
from typing import TYPE_CHECKING

import msgspec

import magnetar.runtime
from magnetar.runtime import Client
from magnetar.runtime.compose.places import EmbeddedBus, bus_place, provision_embedded, store_place
from magnetar.runtime.compose.running import RunningWorker
from magnetar.runtime.threads.loop import wall_clock
from magnetar.schemas import Kept
from tests.migration.bank import BANK, Account, Branch, Deposit

if TYPE_CHECKING:
    from magnetar.runtime.bus.memory import Broker
    from magnetar.runtime.store.views import Views

PATIENCE = 20.0
"""Seconds for each thing that is waited for."""


class Made(msgspec.Struct, frozen=True):
    """A deposit, and the id under which it is handed in."""

    id: str
    account: str
    amount: int


class Errand(msgspec.Struct, frozen=True):
    """`dies`: the fault point at which the process kills itself; empty for a life that ends in order."""

    store: str
    deposits: list[Made]
    dies: str = ""


class Answered(msgspec.Struct, frozen=True):
    """What was answered to a deposit: the account right after it."""

    disposition: str
    deposited: int
    version: int


class Report(msgspec.Struct, frozen=True):
    """What the store holds, as the code at `home` reads it.

    `journal` counts by `actor/disposition`, `versions` are those of each account's timeline, `timers` the accounts that
    have one, `unsent` how many rows the outbox has. `counts` are the ids of what was sent to branches in this life.
    """

    home: str
    version: str
    answers: dict[str, Answered]
    accounts: dict[str, tuple[int, int, int]]
    branches: dict[str, int]
    bookings: list[tuple[str, int]]
    journal: dict[str, int]
    versions: dict[str, list[int]]
    timers: list[str]
    unsent: int
    counts: list[str]


class Dies:
    """Ends the process, as `kill -9` does, at a fault point."""

    def __init__(self, point: str) -> None:
        self._point = point

    def reach(self, point: str) -> None:
        """Called at every fault point, in whatever thread reaches it."""
        if point == self._point:
            os.kill(os.getpid(), signal.SIGKILL)


def main() -> int:
    """Live as the errand says."""
    errand = msgspec.json.decode(sys.argv[1], type=Errand)
    bus, store = bus_place("memory:", BANK.name), store_place(errand.store)
    assert isinstance(bus, EmbeddedBus)
    provision_embedded(bus.broker, BANK.wire())
    worker = RunningWorker(BANK.wire(), bus, store, points=Dies(errand.dies))
    views = store.views()
    try:
        worker.start()
        answers = ask(Client(BANK.wire(), bus.connect("bank"), views, timeout=PATIENCE), errand.deposits)
        wait_for(lambda: settled(views), worker)
        worker.drain(PATIENCE)
        sys.stdout.buffer.write(msgspec.json.encode(report(views, answers, bus.broker)))
    finally:
        worker.kill()  # does nothing after the drain
        views.close()
    return 0


def ask(client: Client, deposits: list[Made]) -> dict[str, Answered]:
    """Hand in all of them, one after the other."""
    answers: dict[str, Answered] = {}
    for made in deposits:
        answer = client.ask(Deposit(account=made.account, amount=made.amount), id=made.id)
        assert isinstance(answer.state, Account), answer
        answers[made.id] = Answered(answer.disposition, answer.state.deposited, answer.version)
    return answers


def wait_for(condition: Callable[[], bool], worker: RunningWorker) -> None:
    """Until the condition holds, while the worker is well."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"nothing came of it within {PATIENCE} s"
        assert not worker.wait(0.01), worker.failure


def settled(views: Views) -> bool:
    """Whether every deposit was counted, and no timer is due."""
    accounts = account_states(views)
    due = [timer.due for key in accounts for timer in views.timers_of("accounts", key)]
    return all(each.counted == each.deposited for each in accounts.values()) and all(at > wall_clock() for at in due)


def account_states(views: Views) -> dict[str, Account]:
    """By key, as this code decodes them."""
    codec = BANK.wire().actors["accounts"].codec
    found: dict[str, Account] = {}
    for row in views.states_of("accounts"):
        state = codec.decode(row.body, codec.schema, Kept("accounts", row.key))
        assert isinstance(state, Account)
        found[row.key] = state
    return found


def branch_totals(views: Views) -> dict[str, int]:
    """By key, as this code decodes them."""
    codec = BANK.wire().actors["branches"].codec
    found: dict[str, int] = {}
    for row in views.states_of("branches"):
        state = codec.decode(row.body, codec.schema, Kept("branches", row.key))
        assert isinstance(state, Branch)
        found[row.key] = state.total
    return found


def report(views: Views, answers: dict[str, Answered], broker: Broker) -> Report:
    """All that the store holds."""
    accounts = account_states(views)
    journals = {name: list(views.journal_of(name)) for name in ("accounts", "branches")}
    return Report(
        home=magnetar.runtime.__file__,
        version=metadata.version("magnetar"),
        answers=answers,
        accounts={key: (each.deposited, each.counted, each.reminded) for key, each in accounts.items()},
        branches=branch_totals(views),
        bookings=sorted((str(row[2]), int(str(row[3]))) for row in views.rows_of("bookings")),
        journal=dict(Counter(f"{name}/{row.disposition}" for name, rows in journals.items() for row in rows)),
        versions={key: [row.version for row in views.timeline("accounts", key)] for key in accounts},
        timers=[key for key in accounts if views.timers_of("accounts", key)],
        unsent=len(views.unsent_of("accounts")) + len(views.unsent_of("branches")),
        counts=[each.properties["message_id"] for part in range(2) for each in broker.log("branches", part)],
    )


if __name__ == "__main__":
    sys.exit(main())
