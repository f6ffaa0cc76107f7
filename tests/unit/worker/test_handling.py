"""What a group makes of its messages: rows that agree with each other, and the same ones every time (R5)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import cast

import pytest

from magnetar.runtime import Actor, App, Context, World, replace
from magnetar.runtime.errors import HandlerFailed
from magnetar.runtime.identity import derive, id_of, to_text
from magnetar.runtime.instant import SECOND, to_iso
from magnetar.runtime.routing import partition_of
from magnetar.runtime.worker.entries import state_hash
from magnetar.runtime.worker.handling import handle
from tests.unit.worker import bank
from tests.unit.worker.bank import Account, Asked, Do, Told, accounts, branches
from tests.unit.worker.bench import START, Bench


@pytest.fixture
def bench() -> Bench:
    """A worker that owns everything."""
    return Bench()


def due(bench: Bench) -> list[tuple[str, int]]:
    """Account `a`'s armed timers: name, and seconds from the start."""
    return [(row.name, (row.due - START) // SECOND) for row in bench.views.timers_of("accounts", "a")]


def astray(key: str) -> int:
    """The partition where an account does not belong."""
    return 1 - partition_of(key, 2)


@pytest.mark.parametrize(
    ("deeds", "left"),
    [
        (["timer 60 t", "timer 90 t"], [("t", 90)]),
        (["timer 60 t", "cancel t"], []),
        (["cancel t", "timer 60 t"], [("t", 60)]),
        (["timer 60 t", "timer 70 u", "cancel t"], [("u", 70)]),
        (["cancel t"], []),
    ],
)
@pytest.mark.parametrize("messages", [1, 2], ids=["one message", "a message each"])
def test_one_group_arms_what_it_decided_last(
    bench: Bench, deeds: list[str], left: list[tuple[str, int]], messages: int
) -> None:
    """Within one message and within one group the last decision about a timer counts."""
    for each in [deeds] if messages == 1 else [[deed] for deed in deeds]:
        bench.send(Do(account="a", deeds=tuple(each)))
    bench.until("phase:committed")
    bench.run()
    assert due(bench) == left


@pytest.mark.parametrize(("deed", "left"), [("timer 100 t", [("t", 110)]), ("cancel t", []), ("nothing", [])])
def test_a_timer_may_fire_and_be_decided_anew_in_one_group(
    bench: Bench, deed: str, left: list[tuple[str, int]]
) -> None:
    """It fires once; what the message after it decides about the name is what stays."""
    bench.send(Do(account="a", deeds=("timer 10 t",)))
    bench.run()
    bench.advance(9.9)
    bench.now = START + 10 * SECOND
    bench.engine.timers.step(bench.now)
    bench.send(Do(account="a", deeds=(deed,)))
    bench.until("phase:committed")
    assert bench.state(accounts, "a").done == ("timer 10 t", "rang t", deed)
    bench.run()
    assert due(bench) == left
    bench.advance(200)
    assert bench.state(accounts, "a").done.count("rang t") == 1 + len(left)


def test_a_timer_fires_once_in_a_group(bench: Bench) -> None:
    """Handed over twice, its second time is stale: the group itself knows that it is spent (R26)."""
    bench.send(Do(account="a", deeds=("timer 10 t",)))
    bench.run()
    [row] = bench.views.timers_of("accounts", "a")
    shard = bench.shard(accounts, "a")
    arrival = bench.engine.turn._reader.timer(shard.plan, row)
    handled = handle(shard, bench.engine.turn._place, bench.now, [arrival, arrival])
    assert (len(handled.changes.journal), handled.stale) == (1, 1)
    assert [gone.must_exist for gone in handled.changes.gone] == [True]


def test_a_message_in_the_wrong_partition_is_sent_on_once(bench: Bench) -> None:
    """R31: it is applied where its key belongs, under an id derived from its own, and counted."""
    bench.send(Do(account="a", deeds=("one",)), "lost", partition=astray("a"))
    bench.run()
    assert bench.state(accounts, "a").done == ("one",)
    assert bench.observer.of("rehomed") == [("accounts", 1)]
    first = bench.entry(accounts, "lost")
    assert first is not None
    assert (first.disposition, first.version) == ("re-homed", 0)
    [told] = json.loads(first.sent)
    assert told == {"type": "tests.Do", "id": to_text(derive(id_of("lost"), 0)), "to": "accounts", "key": "a"}
    second = bench.entry(accounts, told["id"])
    assert second is not None
    assert (second.disposition, second.causation_id) == ("applied", to_text(id_of("lost")))
    assert {row.shard for row in (first, second)} == {"accounts/0", "accounts/1"}


def test_a_second_hop_is_a_dead_letter(bench: Bench) -> None:
    """Then the counts or hashes differ, and sending it on would go round for ever; its key is another shard's."""
    bench.send(Do(account="a"), partition=astray("a"), rehomed="1")
    bench.send(Do(account="a", deeds=("fine",)))
    bench.run()
    [letter] = bench.views.dead_letters("accounts", 10)
    assert "second hop" in letter.error_text
    assert bench.views.parked_key("accounts", "a") is None
    assert bench.state(accounts, "a").done == ("fine",)
    assert bench.backlog() == 0


def test_a_misplaced_message_that_comes_twice_is_sent_on_once(bench: Bench) -> None:
    """The journal of the wrong shard knows it."""
    for _ in range(2):
        bench.send(Do(account="a", deeds=("one",)), "lost", partition=astray("a"))
        bench.run()
    assert bench.state(accounts, "a").done == ("one",)


def test_events_reach_shards_of_another_partition_count(bench: Bench) -> None:
    """Two partitions of events, three of branches: each branch hears each word once, in its account's order."""
    names = [f"b-{number}" for number in range(12)]
    for number in range(5):
        for name in names:
            bench.send(Do(account="a", deeds=(f"tell {name} {number}",)))
    bench.run()
    for name in names:
        assert bench.state(branches, name).heard == ("0", "1", "2", "3", "4")


def test_the_journal_tells_what_was_sent(bench: Bench) -> None:
    """Type, id, topic and key of each message, name and due time of each timer, in the order of deciding."""
    bench.send(Do(account="a", deeds=("tell b word", "timer 60 t", "cancel u", "ask c word")), "one")
    bench.run()
    row = bench.entry(accounts, "one")
    assert row is not None
    cause = id_of("one")
    assert json.loads(row.sent) == [
        {"type": "tests.Told", "id": to_text(derive(cause, 1)), "to": "accounts-events", "key": "b"},
        {"type": "tests.Asked", "id": to_text(derive(cause, 3)), "to": "accounts", "key": "c"},
        {"cancelled": "u"},
        {"timer": "t", "due": to_iso(START + 60 * SECOND)},
    ]
    [event] = bench.log("accounts-events")
    assert event.properties["message_id"] == to_text(derive(cause, 1))
    assert event.properties["causation_id"] == to_text(cause)
    assert event.properties["sender"] == bench.shard(accounts, "a").name


def test_a_story_keeps_its_correlation_and_trace(bench: Bench) -> None:
    """From message to message and through a timer the correlation id is the first one's."""
    bench.send(Do(account="a", deeds=("ask c x",)), correlation_id="story", traceparent="00-trace")
    bench.run()
    [sent] = [each for each in bench.log("accounts") if each.properties["type"] == "tests.Asked"]
    assert (sent.properties["correlation_id"], sent.properties["traceparent"]) == ("story", "00-trace")
    bench.send(Do(account="d", deeds=("timer 5 t",)), "first", correlation_id="story")
    bench.run()
    bench.advance(6)
    last = bench.journal(accounts, "d")[-1]
    assert (last.correlation_id, last.causation_id) == ("story", to_text(id_of("first")))


def test_a_message_too_large_is_refused_before_the_commit(bench: Bench) -> None:
    """R9: the error says how large it was and how large it may be; nothing of it is committed."""
    bench.send(Do(account="a", deeds=("fine",)))
    bench.run()
    bench.send(Do(account="a", deeds=("tell b x", f"big {5 * 1024 * 1024 - 60 * 1024}")))
    bench.run()
    key = bench.views.parked_key("accounts", "a")
    assert key is not None
    assert key.error == "magnetar.runtime.errors.MisuseError"
    assert re.search(r"bytes of body and .* fit", key.error_text)
    assert bench.state(accounts, "a").done == ("fine",)
    assert bench.words(Told) == []


def test_the_largest_message_passes(bench: Bench) -> None:
    """What is under the limit is published, properties and all."""
    bench.send(Do(account="a", deeds=(f"big {5 * 1024 * 1024 - 70 * 1024}",)))
    bench.run()
    assert len(bench.words(Told)[0]) == 5 * 1024 * 1024 - 70 * 1024


def test_the_journal_hashes_the_state(bench: Bench) -> None:
    """R2: over the fields after the message; equal states have equal hashes, others have not."""
    bench.send(Do(account="a", deeds=("one",)))
    bench.send(Do(account="b", deeds=("one",)))
    bench.send(Do(account="c", deeds=("two",)))
    bench.run()
    hashes = {key: bench.journal(accounts, key)[0].state_hash for key in "abc"}
    assert hashes["a"] == hashes["b"] == state_hash(Account(done=("one",)))
    assert hashes["a"] != hashes["c"]
    assert len(hashes["a"]) == 8


def test_rows_of_ones_own_are_in_the_same_commit(bench: Bench) -> None:
    """With the message's id and their order; those of a failed message are not there."""
    bench.send(Do(account="a", deeds=("book one", "book two")), "one")
    bench.run()
    bench.send(Do(account="a", deeds=("book three", "raise")))
    bench.run()
    assert list(bench.views.rows_of("bookings")) == [(id_of("one"), 0, "a", "one"), (id_of("one"), 1, "a", "two")]


def test_time_never_runs_backwards_in_a_shard(bench: Bench) -> None:
    """R5: a store whose clock was set back goes on at the shard's last instant."""
    bench.send(Do(account="a"))
    bench.run()
    bench.now -= 3600 * SECOND
    bench.crash()
    bench.send(Do(account="a"))
    bench.run()
    first, second = bench.journal(accounts, "a")
    assert second.now >= first.now


def test_handling_again_gives_equal_bytes() -> None:
    """R5: the same messages on another worker, with other randomness, write the same journal, states and outbox."""
    found: list[object] = []
    for _ in range(2):
        bench = Bench()
        for number in range(20):
            bench.send(Do(account=f"a-{number % 3}", deeds=("tell b w", "ask c w", "timer 60 t")), f"m-{number}")
        bench.run()
        found.append(
            [
                list(bench.views.journal_of("accounts")),
                list(bench.views.states_of("accounts")),
                [(each.key, each.body, dict(each.properties)) for each in bench.log("accounts-events")],
            ]
        )
    assert found[0] == found[1]


def wrong_result(account: Account, message: Do, context: Context) -> Account:
    """Forgets to return the state."""
    return cast("Account", cast("object", None))


def wrong_event(account: Account, message: Do, context: Context) -> Account:
    """Publishes what its actor does not declare."""
    context.publish(Told(branch="b"))
    return account


def wrong_row(account: Account, message: Do, context: Context) -> Account:
    """Records what its actor does not declare."""
    context.record(bank.Booking(account="a", word="w"))
    return account


def wrong_timer(account: Account, message: Do, context: Context) -> Account:
    """Schedules what its actor does not handle."""
    context.schedule(getattr(bank, "Rang")(), after=1)  # noqa: B009 - hidden from the check at the start
    return account


def wrong_command(account: Account, message: Do, context: Context) -> Account:
    """Sends what nobody takes."""
    context.send(getattr(bank, "Asked")(account="a"))  # noqa: B009 - as above
    return account


def wrong_value(account: Account, message: Do, context: Context) -> Account:
    """Returns a state whose field is of another type."""
    return replace(account, done=(1,))


def _nothing(_declaration: object) -> list[str]:
    return []


@pytest.mark.parametrize(
    ("handler", "says"),
    [
        (wrong_result, "returned NoneType, not Account; return the new state"),
        (wrong_event, r"may not publish Told: add it to publishes=\[…\]"),
        (wrong_row, r"may not record Booking: add it to its rows=\[…\]"),
        (wrong_timer, "no handler for timer Rang"),
        (wrong_command, "takes Asked: write a handler, or name it in a Remote"),
        (wrong_value, "done"),
    ],
)
def test_a_handlers_mistake_is_named(
    handler: Callable[[Account, Do, Context], Account], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a checker would have refused is refused at run time too, before anything is committed."""
    monkeypatch.setattr("magnetar.runtime.checks._referenced", _nothing)
    actor = Actor("accounts", Account)
    actor.handles(handler)
    with World(App("bank", actor)) as world:
        with pytest.raises(HandlerFailed, match=says):
            world.send(Do(account="a"))
        assert world.state(actor, "a") == Account()
        assert world.journal(actor, "a") == []


def test_derived_ids_are_uuids_of_their_cause() -> None:
    """The ids on the wire are canonical text, and read back."""
    assert id_of(to_text(derive(bytes(16), 1))) == derive(bytes(16), 1)
    assert Asked(account="a").word == ""
