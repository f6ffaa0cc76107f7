"""A failing order waits with its whole tail, in order, while every other order flows (DESIGN §7, R22 to R24)."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from magnetar.runtime import App, Context
from magnetar.runtime import envelope as wire
from magnetar.runtime.bus.memory import MemoryBus
from magnetar.runtime.bus.port import Busy, Outgoing
from magnetar.runtime.errors import HandlerFailed, KeyParked
from magnetar.runtime.identity import id_of, to_text
from magnetar.runtime.instant import SECOND, from_iso
from magnetar.runtime.routing import partition_of
from magnetar.runtime.store.port import CommitRejected, StoreUnavailable
from magnetar.runtime.worker.batch import Limits
from magnetar.runtime.worker.engine import Settings
from magnetar.runtime.worker.membership import ALONE
from magnetar.runtime.worker.ownership import Tenure
from magnetar.schemas import Command, Key, topic_codec
from tests.unit.worker.bank import Account, Do, Told, accounts, bank, hasty
from tests.unit.worker.bench import START, Bench

if TYPE_CHECKING:
    from magnetar.runtime.bus.port import Delivery
    from magnetar.runtime.store.parking import DeadLetter, ParkedKey
    from magnetar.runtime.store.port import ShardChanges

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


def is_subscribed(bench: Bench, topic: str) -> bool:
    """Whether the worker has its partition of a letter topic."""
    try:
        consumer = MemoryBus(bench.broker, "other").subscribe(topic, partition_of("a", 2), "magnetar-accounts").poll()
    except Busy:
        return True
    assert consumer is not None
    consumer.close()
    return False


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
    do(bench, "a", "tell b once", "book y", "timer 99 t", "fail 1", "tell b after", name="bad")
    do(bench, neighbour("a"), "tell b behind")
    bench.until("phase:committed")
    bench.run()
    assert bench.words(Told) == ["before", "once", "after", "behind"]
    assert [row[-1] for row in bench.views.rows_of("bookings")] == ["x", "y"]
    assert len(bench.views.timers_of("accounts", "a")) == 1
    assert done(bench) == ("tell b once", "book y", "timer 99 t", "fail 1", "tell b after")
    assert [row.number for row in bench.views.failures_of("accounts", id_of("bad"))] == [1]


def test_a_key_that_rings_while_the_store_is_away_is_waited_for_and_not_spun_on(bench: Bench) -> None:
    """It goes on when the store is back; until then the loop sleeps."""
    do(bench, "a", "fail 2")
    bench.run()
    bench.moods.always["parked"] = StoreUnavailable("it is away")
    bench.advance(20)
    assert parked(bench) is not None
    wanted = bench.engine.step(bench.now).at
    assert wanted is not None
    assert wanted > bench.now
    bench.moods.heal()
    bench.advance(2)
    assert done(bench) == ("fail 2",)


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
    assert (entry.disposition, letter.body) == ("dead", entry.body)
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


def test_a_bell_rings_at_its_time_and_says_what_happened(bench: Bench) -> None:
    """The copy on the tier's topic has the attempt, the error and the due time; once rung it is acknowledged."""
    do(bench, "a", "fail 3", name="bad")
    bench.run()
    [bell] = letters(bench, TIER)
    assert bell.properties[wire.ATTEMPT] == "2"
    assert bell.properties[wire.ERROR] == "tests.unit.worker.bank.HandlerError"
    due = from_iso(bell.properties[wire.DUE])
    assert due == START + 10 * SECOND
    bench.advance(9.999)
    assert done(bench) == ()
    bench.advance(0.002)
    assert bench.broker.backlog(TIER, bell.partition, "magnetar-accounts") == 0
    [*_, last] = bench.views.failures_of("accounts", id_of("bad"))
    assert (last.number, last.now) == (3, due)


def test_a_bell_that_never_rings_is_rung_by_its_row(bench: Bench) -> None:
    """R23: its due time plus grace; here the broker holds the bell back."""
    for partition in (0, 1):
        bench.faults.hold_sends(TIER, partition)
    do(bench, "a", "fail 3")
    bench.advance(10.9)
    assert done(bench) == ()
    bench.advance(0.2)
    key = parked(bench)
    assert key is not None
    assert key.failures == 3


def test_a_clock_that_is_put_back_while_a_head_is_in_hand_only_delays_it(bench: Bench) -> None:
    """R23: its row had rung; at the store's new time it is too early for it, so the row rings again."""
    for partition in (0, 1):
        bench.faults.hold_sends(TIER, partition)
    do(bench, "a", "fail 3")
    bench.advance(10.9)
    bench.points.acts["phase:taken"] = lambda: bench.engine.holdings.learn_clock(-5 * SECOND, -5 * SECOND)
    bench.advance(0.3)
    bench.points.acts.clear()
    key = parked(bench)
    assert key is not None
    assert key.failures == 2
    bench.advance(10)
    key = parked(bench)
    assert key is not None
    assert key.failures == 3


def test_a_bell_of_an_earlier_time_changes_nothing(bench: Bench) -> None:
    """R23: the row decides. An old bell, or one that somebody made up, is acknowledged and forgotten."""
    do(bench, "a", "later 20")
    bench.run()
    place = partition_of("a", 2)
    for due in ("2020-01-01T00:00:00.000000Z", "soon"):
        bench.raw(TIER, place, Outgoing("a", b"", {wire.DUE: due, wire.ATTEMPT: "1"}), None)
    bench.raw(TIER, place, Outgoing("z", b"", {}), None)
    bench.advance(19)
    assert done(bench) == ()
    bench.advance(1.1)
    assert done(bench) == ("later 20",)
    assert bench.broker.backlog(TIER, place, "magnetar-accounts") == 0


def test_a_retry_topic_is_subscribed_only_while_somebody_waits(bench: Bench) -> None:
    """A shard on which nothing fails has no more consumers than sources."""
    assert not is_subscribed(bench, TIER)
    do(bench, "a", "fail 3")
    bench.advance(5)
    assert is_subscribed(bench, TIER)
    bench.advance(120)
    assert not is_subscribed(bench, TIER)


def test_a_timer_of_a_parked_key_waits_with_the_others(bench: Bench) -> None:
    """R22: it joins the tail, where it stands in order; R26: a cancelled one is a no-op there, too."""
    do(bench, "a", "timer 5 t", "timer 6 u")
    do(bench, "a", "fail 3", "cancel u", name="bad")
    do(bench, "a", "before")
    bench.advance(7)
    do(bench, "a", "behind")
    bench.run()
    assert len(bench.views.parked_of("accounts", "a", 10)) == 5
    bench.crash()
    bench.advance(75)
    assert done(bench) == ("timer 5 t", "timer 6 u", "fail 3", "cancel u", "before", "rang t", "behind")
    assert [row.disposition for row in bench.journal(accounts, "a")].count("skipped") == 1
    assert bench.views.timers_of("accounts", "a") == []
    assert parked(bench) is None


def test_who_asks_in_this_process_is_told_that_the_key_is_parked(bench: Bench) -> None:
    """What was asked is applied in its turn all the same."""
    do(bench, "a", "fail 3")
    bench.run()
    answer = bench.shard(accounts, "a").entity("a").actor_ref.ask(Do(account="a", deeds=("asked",)), block=False)
    bench.run()
    with pytest.raises(KeyParked, match="tried again"):
        answer.get(timeout=0)
    bench.advance(75)
    assert done(bench) == ("fail 3", "asked")
    refused = bench.shard(accounts, "a").entity("a").actor_ref.ask(Do(account="a", deeds=("never",)), block=False)
    bench.run()
    with pytest.raises(HandlerFailed, match="no such account"):
        refused.get(timeout=0)


def test_a_tail_at_its_bound_stops_its_shard(bench: Bench) -> None:
    """What comes for it stays at the broker; the other shard goes on, and so does this one when the tail is shorter."""
    do(bench, "a", "fail 3")
    for number in range(30):
        do(bench, "a", str(number))
    bench.run()
    do(bench, neighbour("a"), "late")
    bench.advance(1)
    key = parked(bench)
    assert key is not None
    assert bench.backlog() > 0
    assert done(bench, neighbour("a")) == ()
    bench.advance(80)
    assert done(bench) == ("fail 3", *map(str, range(30)))
    assert done(bench, neighbour("a")) == ("late",)
    assert bench.backlog() == 0


def test_a_long_tail_is_applied_in_order_while_more_comes() -> None:
    """Piece by piece; what comes meanwhile is behind it."""
    bench = Bench(settings=Settings(limits=Limits(group=7, tail=3), tenure=Tenure(liveness=ALONE)))
    words = ["fail 3", *map(str, range(15))]
    for word in words:
        do(bench, "a", word)
    bench.run()
    bench.advance(69.9)
    for number in range(15, 40):
        words.append(str(number))
        do(bench, "a", str(number))
        bench.step(2)
    bench.advance(1)
    assert done(bench) == tuple(words)


@pytest.mark.parametrize("method", ["parked", "commit"])
def test_a_store_that_is_away_while_a_tail_goes_on_is_waited_for(bench: Bench, method: str) -> None:
    """The key rings again when it is back; nothing is counted as a failure that was none."""
    do(bench, "a", "fail 3")
    do(bench, "a", "two")
    bench.run()
    bench.advance(59)
    bench.moods.fail(method, StoreUnavailable("away"), times=4)
    bench.advance(30)
    assert done(bench) == ("fail 3", "two")
    assert len(bench.views.failures_of("accounts", bench.journal(accounts, "a")[0].message_id)) == 3


def test_what_the_store_refuses_is_a_dead_letter_and_its_neighbours_are_not(bench: Bench) -> None:
    """R9: bisected to the message, which fails for good."""

    def refuse(changes: list[ShardChanges]) -> None:
        for each in changes:
            if any(row.message_id == id_of("bad") and row.disposition == "applied" for row in each.journal):
                raise CommitRejected("no such thing")

    bench.moods.watch("commit", refuse)
    for name in ("first", "bad", "last"):
        do(bench, neighbour("a") if name != "bad" else "a", name, name=name)
    bench.run()
    [letter] = dead(bench)
    assert (letter.key, letter.failures) == ("a", 1)
    assert "no such thing" in letter.error_text
    assert done(bench, neighbour("a")) == ("first", "last")


def test_a_message_that_nobody_here_can_read_waits_for_newer_code(bench: Bench) -> None:
    """R30: parked without an attempt, its key with it; every other key goes on."""
    codec = topic_codec("accounts", "bank", (Do, Other))
    message = Outgoing("a", codec.encode(Other(account="a")), {"message_id": "new"})
    bench.raw("accounts", partition_of("a", 2), message, codec.schema.text)
    do(bench, "a", "behind")
    do(bench, neighbour("a"), "fine")
    bench.advance(600)
    key = parked(bench)
    assert key is not None
    assert (key.reason, key.failures, key.last - key.first) == ("unread", 0, 1)
    assert "Other" in key.error_text
    assert done(bench, neighbour("a")) == ("fine",)
    assert bench.views.failures_of("accounts", id_of("new")) == []
    assert bench.backlog() == 0


def other(account: Account, message: Other, context: Context) -> Account:
    """The newer release's handler."""
    return Account(done=(*account.done, "other"))


def test_newer_code_takes_what_waits_for_it(bench: Bench) -> None:
    """R2, R30: parked by the older code, it is applied by the newer one, at once, and before what came behind it."""
    codec = topic_codec("accounts", "bank", (Do, Other))
    message = Outgoing("a", codec.encode(Other(account="a")), {"message_id": "new"})
    bench.raw("accounts", partition_of("a", 2), message, codec.schema.text)
    do(bench, "a", "behind")
    bench.run()
    assert [row.disposition for row in bench.journal(accounts, "a")] == ["parked", "parked"]
    newer = copy(accounts)
    newer.handlers = [*accounts.handlers, other]
    bench.wiring = App("bank", newer, *(actor for actor in bank.actors if actor is not accounts)).wire()
    bench.crash()
    bench.run()
    assert done(bench, "a") == ("other", "behind")
    assert parked(bench) is None


@pytest.mark.parametrize("key", ["a", None], ids=["of a key", "of no key"])
def test_bytes_that_contradict_their_schema_are_a_dead_letter(bench: Bench, key: str | None) -> None:
    """Never a value; the key that the broker knows waits for a person, and no other."""
    schema = bench.wiring.topics["accounts"].codec.schema
    properties = {"schema": schema.fingerprint, "message_id": "bad"}
    bench.raw("accounts", partition_of("a", 2), Outgoing(key, b"\xff\xff\xff", properties), schema.text)
    do(bench, neighbour("a"), "fine")
    do(bench, "a", "behind")
    bench.run()
    [letter] = dead(bench)
    assert (letter.body, letter.failures, letter.key) == (b"\xff\xff\xff", 1, key or "")
    assert done(bench, neighbour("a")) == ("fine",)
    assert done(bench) == (() if key else ("behind",))
    assert bench.backlog() == 0


@settings(max_examples=25)
@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from((0, 0, 0, 1, 2, 3))), max_size=16),
    st.integers(1, 9),
    st.integers(1, 4),
    st.sets(st.integers(0, 40), max_size=4),
)
def test_every_order_ends_as_if_nothing_had_failed(
    sent: list[tuple[str, int]], group: int, tail: int, crashes: set[int]
) -> None:
    """Whatever fails and how often, in groups of any size, with the worker dying in between."""
    bench = Bench(settings=Settings(limits=Limits(group=group, tail=tail), tenure=Tenure(liveness=ALONE)))
    wanted: dict[str, list[str]] = {}
    for number, (key, fails) in enumerate(sent):
        deeds = (str(number), f"fail {fails}")
        wanted.setdefault(key, []).extend(deeds)
        do(bench, key, *deeds, name=f"m-{number}")
        bench.step(number % 3)
        if number in crashes:
            bench.crash_later()
    for _ in range(6):
        bench.advance(62)
        if bench.now // SECOND % 5 in crashes:
            bench.crash_later()
    bench.advance(400)
    assert {key: list(done(bench, key)) for key in wanted} == wanted
    assert dead(bench) == []
    assert all(row.disposition == "applied" for key in wanted for row in bench.journal(accounts, key))
