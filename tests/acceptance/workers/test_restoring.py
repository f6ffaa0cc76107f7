"""A backup is restored under the workers (R11), on a real broker and a real PostgreSQL: all ends as it was.

How old the backup is, is how much was done since: twice as much as before it, while orders come in. That it could
be ten minutes or a week old makes no difference, as long as the topics keep what is lacking.
"""

from __future__ import annotations

import json
import re
import signal
import threading
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple, Self

import httpx2
import pytest

from magnetar.runtime.compose.places import bus_place
from tests.acceptance.cli.program import answer, wait_until
from tests.acceptance.workers.plant import TARGET
from tests.acceptance.workers.shop import Place

if TYPE_CHECKING:
    from pathlib import Path

    from magnetar.runtime import Client
    from magnetar.runtime.store.views import Views
    from tests.acceptance.cli.program import Program
    from tests.acceptance.workers.plant import Plant

ORDERS, KEYS, MORE = 150, 40, 60
ACTORS = ("orders", "stock")
STEPS = 3
"""Messages that one order means: itself, what it asks of stock, and stock's event."""


class Everything(NamedTuple):
    """All that the store holds, but for what a second handling may change: who owns what, and which number came when.

    States: (actor, key) → bytes and version. Journal: (actor, message id) → disposition. Rows of the app, counted.
    """

    states: dict[tuple[str, str], tuple[bytes, int]]
    journal: dict[tuple[str, bytes], str]
    bookings: Counter[tuple[object, ...]]

    @classmethod
    def of(cls, views: Views) -> Everything:
        """As it is now."""
        return cls(
            {(actor, row.key): (row.body, row.version) for actor in ACTORS for row in views.states_of(actor)},
            {(actor, row.message_id): row.disposition for actor in ACTORS for row in views.journal_of(actor)},
            Counter(views.rows_of("bookings")),
        )


class Load:
    """Orders without end, ten at a time, from a thread of their own; `sent` are with the broker."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.sent = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def wait_for(self, more: int) -> None:
        """Until so many more are sent."""
        least = self.sent + more
        wait_until(lambda: self.sent >= least)

    def _run(self) -> None:
        while not self._stop.wait(0.05):
            self._client.send_all([order(self.sent + each) for each in range(10)])
            self.sent += 10


def order(number: int) -> tuple[Place, str]:
    """The message, and the id that its cause gives it."""
    return Place(order_id=f"o-{number % KEYS}", sku=f"s-{number % 7}", quantity=number), f"order-{number}"


def unapplied(plant: Plant) -> int | None:
    """What the broker has for any shard, that none has acknowledged; None while that is unknown."""
    places = ("--admin", plant.broker.admin_url, "--store", plant.store)
    _, out = answer(plant.folder, "shards", TARGET, *places, "--json", environment=plant.environment)
    lags = [shard["lag"] for shard in json.loads(out)["shards"]]
    return None if None in lags else sum(lags)


def wait_for_all(plant: Plant, count: int) -> None:
    """Until so many orders, and all that follows from them, are applied and published."""

    def settled(views: Views) -> bool:
        done = sum(1 for actor in ACTORS for _ in views.journal_of(actor))
        return done == STEPS * count and not any(views.unsent_of(actor) for actor in ACTORS)

    plant.wait_for(f"end of {count} orders", settled)


def everything(plant: Plant) -> Everything:
    """All of the store."""
    with plant.views() as views:
        return Everything.of(views)


def stop(*workers: Program) -> None:
    """All of them, in order."""
    for worker in workers:
        worker.signal(signal.SIGTERM)
    assert [worker.status() for worker in workers] == [0] * len(workers)


def counted(worker_log: str) -> float:
    """What the metrics of every worker say of stores that went back."""
    addresses = re.findall(r"metrics and health at (http://[\d.:]+)", worker_log)
    pages = [httpx2.get(f"{address}/metrics", timeout=20).text for address in addresses]
    found = [
        value
        for page in pages
        for value in re.findall(r"^magnetar_store_went_back_total\{.*\} (.*)$", page, re.MULTILINE)
    ]
    assert len(found) == 2 * len(addresses)
    return sum(map(float, found))


def published(plant: Plant) -> set[str]:
    """The ids of all messages on any topic."""
    place = bus_place(plant.broker.service_url, plant.name)
    topics = plant.app.wire().topics
    return {
        each.properties["message_id"]
        for topic in topics
        for partition in range(4)
        for each in place.log(topic, partition)
    }


def loaded_and_backed_up(plant: Plant) -> tuple[Path, int]:
    """Two workers apply all orders; the backup is from the midst of them. Returns it, and how many orders there are."""
    with plant.worker() as one, plant.worker() as other, plant.client() as client:
        plant.wait_for_owners(one, other)
        with Load(client) as load:
            load.wait_for(ORDERS)
            started = load.sent
            backup = plant.back_up()
            assert load.sent > started, "the backup was not taken under load"
            load.wait_for(2 * ORDERS)
        wait_for_all(plant, load.sent)
        stop(one, other)
    return backup, load.sent


@pytest.mark.timeout(400)
def test_a_restored_backup_ends_in_equal_states(plant: Plant) -> None:
    """It is noticed, everything that it lacks is handled again, each effect is there once, and work goes on."""
    backup, count = loaded_and_backed_up(plant)
    before, ids = everything(plant), published(plant)
    plant.restore(backup)
    lacking = len(before.journal) - len(everything(plant).journal)
    assert lacking > STEPS * ORDERS, "the backup lacks too little to prove anything"
    log = plant.folder / "stderr.txt"
    log.unlink()
    with plant.worker("--listen", "127.0.0.1:0") as one, plant.worker("--listen", "127.0.0.1:0") as other:
        wait_for_all(plant, count)
        wait_until(lambda: unapplied(plant) == 0)
        assert everything(plant) == before
        assert published(plant) == ids
        assert "the store went back" in one.stderr
        assert "HTTP Request" not in one.stderr
        assert counted(one.stderr) > 0
        with plant.client() as client:
            client.send_all([order(number) for number in range(count, count + MORE)])
            wait_for_all(plant, count + MORE)
        stop(one, other)
    after = everything(plant)
    assert sum(after.bookings.values()) == count + MORE
    assert set(after.journal.values()) == {"applied"}
    assert before.journal.items() <= after.journal.items()
