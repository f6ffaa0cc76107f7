"""A failing order waits with its whole tail, in order, while every other order flows (DESIGN §7, R22 to R24)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magnetar.runtime import envelope as wire
from magnetar.runtime.bus.port import Outgoing
from magnetar.runtime.errors import HandlerFailed, KeyParked
from magnetar.runtime.identity import id_of, to_text
from magnetar.runtime.instant import SECOND, from_iso
from magnetar.runtime.routing import partition_of
from magnetar.runtime.store.port import CommitRejected, StoreUnavailable
from magnetar.runtime.worker.engine import Settings
from magnetar.runtime.worker.membership import ALONE
from magnetar.runtime.worker.ownership import Tenure
from magnetar.runtime.worker.turn import Limits
from magnetar.schemas import Command, Key, topic_codec
from tests.unit.worker.bank import Do, Told, accounts, hasty
from tests.unit.worker.bench import START, Bench

if TYPE_CHECKING:
    from magnetar.runtime.bus.port import Delivery
    from magnetar.runtime.store.port import DeadLetter, ParkedKey, ShardChanges

TIER, DEAD = "accounts-magnetar-accounts-RETRY-10s", "accounts-magnetar-accounts-DLQ"


class Other(Command):
    """A command that no actor of the app knows: a newer release's."""

    account: Key


@pytest.fixture
def bench() -> Bench:
    """A worker that owns everything."""
    return Bench()


def neighbour(key: str) -> str:
    """Another key of the same shard."""
    keys = (f"n-{number}" for number in range(1000))
    return next(each for each in keys if partition_of(each, 2) == partition_of(key, 2))


def do(bench: Bench, key: str, *deeds: str, name: str | None = None) -> None:
    """Ask the account."""
    bench.send(Do(account=key, deeds=deeds), name)


def done(bench: Bench, key: str = "a") -> tuple[str, ...]:
    """What the account has done."""
    return bench.state(accounts, key).done


def parked(bench: Bench, key: str = "a") -> ParkedKey | None:
    """Why the key is parked, by the store."""
    return bench.views.parked_key("accounts", key)


def dead(bench: Bench) -> list[DeadLetter]:
    """Every dead letter of the accounts, newest first."""
    return bench.views.dead_letters("accounts", 1000)


def letters(bench: Bench, topic: str) -> list[Delivery]:
    """What is on a letter topic."""
    return [each for partition in range(2) for each in bench.broker.log(topic, partition)]


def test_a_failing_order_waits_and_every_other_flows(bench: Bench) -> None:
    """Its later messages wait behind it, whatever they say; its neighbour in the shard does not notice."""
    do(bench, "a", "fail 3", name="bad")
    do(bench, "a", "tell b two")
    do(bench, neighbour("a"), "fine")
    bench.run()
    do(bench, "a", "three")
    bench.run()
    assert done(bench, neighbour("a")) == ("fine",)
    assert done(bench) == ()
    assert bench.backlog() == 0
    key = parked(bench)
    assert key is not None
    assert (key.reason, key.failures, key.last - key.first) == ("retry", 2, 2)
    assert key.due == START + 10 * SECOND
    assert [row.disposition for row in bench.journal(accounts, "a")] == ["parked"] * 3
    bench.advance(9.9)
    assert done(bench) == ()
    bench.advance(60.2)
    assert done(bench) == ("fail 3", "tell b two", "three")
    assert [(row.disposition, row.version) for row in bench.journal(accounts, "a")] == [
        ("applied", 1),
        ("applied", 2),
        ("applied", 3),
    ]
    assert bench.words(Told) == ["two"]
    assert parked(bench) is None
    assert bench.views.parked_of("accounts", "a", 10) == []


def test_what_a_failed_message_decided_is_never_seen(bench: Bench) -> None:
    """Messages, timers and rows of a handler that raises are taken back; those of its neighbours are not."""
    do(bench, neighbour("a"), "tell b before", "book x")
    do(bench, "a", "tell b never", "book y", "timer 1 t", "fail 2", "tell b after")
    do(bench, neighbour("a"), "tell b behind")
    bench.until("phase:committed")
    bench.run()
    assert bench.words(Told) == ["before", "never", "after", "behind"]
    assert done(bench) == ("tell b never", "book y", "timer 1 t", "fail 2", "tell b after")
    failures = bench.views.failures_of("accounts", id_of(bench.journal(accounts, "a")[0].correlation_id))
    assert [row.number for row in failures] == [1]


def test_attempts_are_counted_in_the_store_and_nowhere_else(bench: Bench) -> None:
    """R24: however often the worker dies in between, it is a dead letter after exactly its attempts."""
    do(bench, "a", "raise", name="poison")
    do(bench, "a", "behind")
    for _ in range(20):
        bench.run()
        bench.crash()
        bench.advance(61.5)
    [letter] = dead(bench)
    assert (letter.failures, letter.error, letter.message_id) == (
        5,
        "tests.unit.worker.bank.HandlerError",
        id_of("poison"),
    )
    assert [row.number for row in bench.views.failures_of("accounts", id_of("poison"))] == [1, 2, 3, 4, 5]
    assert len(letters(bench, DEAD)) == 1
    key = parked(bench)
    assert key is not None
    assert (key.reason, key.due, key.last - key.first) == ("held", None, 0)
    assert done(bench) == ()


def test_a_permanent_error_is_a_dead_letter_at_once(bench: Bench) -> None:
    """With all that a person needs to judge it, in properties that every tool can read."""
    do(bench, "a", "never", name="poison")
    bench.run()
    [letter] = letters(bench, DEAD)
    entry = bench.entry(accounts, "poison")
    assert entry is not None
    assert (entry.disposition, entry.version, letter.body) == ("dead", 0, entry.body)
    told = letter.properties
    assert told[wire.MESSAGE_ID] == to_text(id_of("poison"))
    assert told[wire.ATTEMPT] == "1"
    assert told[wire.ERROR] == "magnetar.runtime.errors.PermanentError"
    assert "no such account" in told[wire.ERROR_TEXT]
    assert told[wire.ORIGIN] == entry.source
    assert told[wire.ORIGIN_POSITION] == entry.position
    assert wire.DUE not in told
    assert letter.key == "a"


def test_after_a_dead_letter_a_key_may_go_on() -> None:
    """`afterwards="skip"`: the tail is applied as if the dead one had not come."""
    bench = Bench(hasty)
    for deeds in ("fail 9", "two", "never", "four"):
        do(bench, "a", deeds)
    bench.advance(200)
    assert done(bench) == ("two", "four")
    assert [row.disposition for row in bench.journal(accounts, "a")] == ["dead", "dead", "applied", "applied"]
    assert parked(bench) is None
