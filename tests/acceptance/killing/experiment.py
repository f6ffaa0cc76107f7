"""The running experiment: deposits are sent to a till whose worker is harmed; in the end an independent read agrees.

Everything sent must have been applied exactly once, and everything decided must have been published exactly once.
"""

from __future__ import annotations

import json
import os
import random
import sqlite3
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from magnetar.runtime.bus.port import Outgoing
from magnetar.runtime.compose.places import bus_place, store_place
from magnetar.runtime.identity import mint, to_text
from magnetar.runtime.routing import partition_of
from magnetar.runtime.store.port import StoreError
from magnetar.runtime.store.requests import Request, RequestStatus, What
from magnetar.runtime.worker.asked import LETTER
from magnetar.schemas import Kept
from tests.acceptance.killing.life import Life
from tests.acceptance.killing.till import TILL, Branch, Deposit, accounts, branches
from tests.acceptance.killing.worker import Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from magnetar.runtime import Client
    from magnetar.runtime.bus.pulsar.client import PulsarBus
    from magnetar.runtime.servers.pulsar import PulsarServer
    from magnetar.runtime.store.port import JournalRow
    from magnetar.runtime.store.views import Views

T = TypeVar("T")
REST = 60.0


@dataclass
class Till:
    """The running experiment: where things are, and what was sent.

    `name`: its namespace on the broker; `errors`: a file of what workers say on stderr.
    `doubtful`: ids of messages that may have been sent before the store went back, and so may stand twice (R11).
    """

    name: str
    server: PulsarServer
    store: str
    errors: Path
    chance: random.Random
    client: Client
    bus: PulsarBus
    sent: dict[str, Deposit] = field(default_factory=dict)
    foreign: int = 0
    doubtful: set[str] = field(default_factory=set)
    asked: bool = False
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(1, 1_000_000)))

    @property
    def places(self) -> tuple[str, str, str, str]:
        """What a worker process needs to know: broker, its REST API, application, store."""
        return self.server.service_url, self.server.admin_url, self.name, self.store

    def feed(self) -> None:
        """A few deposits, some of them twice under one id."""
        batch: list[tuple[Deposit, str]] = []
        for _ in range(6):
            number = next(self.numbers)
            name = f"deposit-{number}"
            message = Deposit(account=f"a-{number % 7}", amount=number)
            self.sent[name] = message
            batch.extend([(message, name)] * self.chance.choice([1, 1, 2]))
        self.client.send_all(batch)
        self.feed_foreign()
        self.ask()

    def ask(self) -> None:
        """A person asks for a dead letter that is not there: the shard's owner looks for it, and says so."""
        now, key = time.time_ns() // 1000, f"a-{next(self.numbers) % 7}"
        shard = f"accounts/{partition_of(key, 2)}"
        letter = json.dumps({LETTER: to_text(mint(now, os.urandom))})
        request = Request(
            mint(now, os.urandom), shard, What.DISCARD.value, key, letter, "ann", "a test", 0,
            RequestStatus.ASKED.value, "", None, None,
        )  # fmt: skip
        try:
            with closing(store_place(self.store).requests()) as book:
                book.ask([request])
        except StoreError:
            assert not self.asked, "who could ask before can ask now"  # no worker has made the store yet
        else:
            self.asked = True
            self._leave_in_hand(shard, key, now)

    def _leave_in_hand(self, shard: str, key: str, now: int) -> None:
        """Somebody has ended with a message in hand that nobody has seen since: who takes the shard charges it."""
        hand = shard, mint(now, os.urandom), key, shard, "nobody", "gone", 0, now
        with closing(sqlite3.connect(self.store.removeprefix("sqlite:///"), timeout=10.0)) as database, database:
            database.execute("INSERT INTO hands VALUES (?, ?, ?, ?, ?, ?, ?, ?)", hand)

    def feed_foreign(self) -> None:
        """A deposit from a producer that knows nothing of our properties: only the topic's schema."""
        self.foreign += 1
        topic = TILL.wire().topics["accounts"]
        message = Deposit(account=f"f-{self.foreign}", amount=1)
        partition = partition_of(message.account, 2)
        opening = self.bus.produce("accounts", partition, f"foreign-{self.foreign}", topic.codec.schema.text)
        producer = wait_for(opening.poll, "a producer")
        producer.send(1, Outgoing(message.account, topic.codec.encode(message), {}))
        receipts = wait_for(producer.receipts, "a receipt")
        assert receipts[0].error is None
        producer.close()


def wait_for(question: Callable[[], T | None], what: str, within: float = REST) -> T:
    """The first true answer, or a failure that says what was waited for."""
    deadline = time.monotonic() + within
    while not (answer := question()):
        assert time.monotonic() < deadline, f"no {what} within {within} s"
        time.sleep(0.01)
    return answer


def set_back(till: Till) -> None:
    """The store loses its positions, as if a backup had been put in its place; the journal absorbs what comes again.

    What is unsent may be on its topic already, and goes again by a producer of another name: its takers absorb it.
    """
    note_doubtful(till)
    with closing(sqlite3.connect(till.store.removeprefix("sqlite:///"))) as file, file:
        file.execute("DELETE FROM positions")


def note_doubtful(till: Till) -> None:
    """The worker that comes now may begin a new store generation: what is unsent by now may be sent again."""
    views = store_place(till.store).views()
    try:
        unsent = [row for actor in (accounts, branches) for row in views.unsent_of(actor.name)]
    finally:
        views.close()
    till.doubtful.update(json.loads(row.properties)["message_id"] for row in unsent)


def settle(till: Till) -> None:
    """Let a last life do what is left, some of which may be going back still, and check all that is there."""
    note_doubtful(till)
    finish(till)
    views = store_place(till.store).views()
    try:
        check(till, views)
    finally:
        views.close()


def finish(till: Till) -> None:
    """A last life that nothing kills, until all is applied, published and fired."""
    with Life(Plan(till.places, "never"), till.errors) as life:
        try:
            with closing(store_place(till.store).views()) as views:
                wait_for(lambda: at_rest(till, views), "rest")
        except AssertionError as problem:
            life.fail(str(problem))
        life.drain()
        assert life.status() == 0, "the last life did not drain"


def at_rest(till: Till, views: Views) -> bool:
    """Every deposit counted, every reminder fired, every slip printed, nothing unsent."""
    states = list(views.states_of("accounts"))
    done = sum(1 for row in views.journal_of("accounts") if row.type.endswith(".Counted"))
    timers = any(views.timers_of("accounts", row.key) for row in states)
    unsent = views.unsent_of("accounts") or views.unsent_of("branches")
    asked = any(views.effects_of("accounts", row.key) for row in states)
    return done == len(till.sent) + till.foreign and not timers and not unsent and not asked


def check(till: Till, views: Views) -> None:
    """The invariants, from the store, the topics and the sender's own log."""
    journals = {actor.name: list(views.journal_of(actor.name)) for actor in (accounts, branches)}
    check_applied_once(till, journals["accounts"])
    for rows in journals.values():
        check_versions(rows)
    check_published_once([row for rows in journals.values() for row in rows], read_all(till), till.doubtful)
    total = sum(message.amount for message in till.sent.values()) + till.foreign
    assert sum(int(str(row[3])) for row in views.rows_of("bookings")) == total
    slips = [row for row in journals["accounts"] if row.source == "effect"]
    assert len(slips) == sum(message.amount % 4 == 0 for message in till.sent.values())
    codec = TILL.wire().actors["branches"].codec
    counted = [codec.decode(row.body, codec.schema, Kept("branches", row.key)) for row in views.states_of("branches")]
    assert sum(branch.total for branch in counted if isinstance(branch, Branch)) == total


def check_applied_once(till: Till, rows: list[JournalRow]) -> None:
    """Each id that was sent has one row, each foreign message too, and there is nothing from nowhere."""
    deposits = [row for row in rows if row.type.endswith(".Deposit")]
    assert len(deposits) == len(till.sent) + till.foreign
    assert len({row.message_id for row in deposits}) == len(deposits)
    left = [row for row in rows if row.disposition != "applied"]
    assert {(row.source, row.disposition) for row in left} <= {("timer", "skipped")}, "only a stale reminder of a tail"


def check_versions(rows: list[JournalRow]) -> None:
    """Per key the versions are 1, 2, 3 and so on."""
    by_key: dict[str, list[int]] = {}
    for row in rows:
        if row.disposition == "applied":
            by_key.setdefault(row.key, []).append(row.version)
    for key, versions in by_key.items():
        assert sorted(versions) == list(range(1, len(versions) + 1)), f"versions of {key}"


def check_published_once(rows: list[JournalRow], published: Counter[str], doubtful: set[str]) -> None:
    """What the journals say was sent is on the topics, each id once but for `doubtful`, and nothing else of ours is."""
    decided = Counter(entry["id"] for row in rows for entry in json.loads(row.sent) if "id" in entry)
    ours = Counter(
        {message_id: count for message_id, count in published.items() if not message_id.startswith("deposit-")}
    )
    assert ours.keys() == decided.keys()
    assert {message_id for message_id, count in ours.items() if count > 1} <= doubtful
    assert set(decided.values()) == {1}
    assert {
        to_text(row.message_id) for row in rows if row.causation_id and row.source not in {"timer", "effect"}
    } == set(decided)


def read_all(till: Till) -> Counter[str]:
    """How often each message id stands on any partition of any topic, read beside every subscription."""
    place = bus_place(till.server.service_url, till.name)
    wiring = TILL.wire()
    deliveries = [each for topic in wiring.topics for partition in range(2) for each in place.log(topic, partition)]
    return Counter(each.properties["message_id"] for each in deliveries if "message_id" in each.properties)
