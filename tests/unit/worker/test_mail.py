"""Messages told and asked through a reference: answered after the commit, or told why there is no answer."""

from __future__ import annotations

from typing import cast

import pytest

from magnetar.runtime.errors import MisuseError, ShardLost
from magnetar.runtime.store.port import StoreUnavailable
from magnetar.runtime.worker.observer import Loss
from magnetar.schemas import EncodeFailed
from tests.unit.worker.bank import Do, Told, accounts
from tests.unit.worker.bench import Bench


@pytest.fixture
def bench() -> Bench:
    """A worker that owns everything."""
    return Bench()


def test_told_and_asked_messages_are_answered_after_the_commit(bench: Bench) -> None:
    """The answer is the state that was committed, journalled as a local message."""
    ref = bench.shard(accounts, "a").entity("a").actor_ref
    answer = ref.ask(Do(account="a", deeds=("one",)), block=False)
    ref.tell(Do(account="a", deeds=("two",)))
    bench.until("phase:handled")
    with pytest.raises(Exception, match="0"):
        answer.get(timeout=0)
    bench.run()
    assert answer.get(timeout=0).done == ("one",)
    assert bench.state(accounts, "a").done == ("one", "two")
    assert {row.source for row in bench.journal(accounts, "a")} == {"local"}


def test_an_actor_refuses_what_it_does_not_take(bench: Bench) -> None:
    """The asker's mistake is the asker's error; the worker goes on."""
    ref = bench.shard(accounts, "a").entity("a").actor_ref
    answer = ref.ask(Told(branch="a"), block=False)
    bench.run()
    with pytest.raises(MisuseError, match="takes no Told"):
        answer.get(timeout=0)
    bench.send(Do(account="a"))
    bench.run()
    assert bench.state(accounts, "a").done == ("nothing",)


def test_a_message_for_another_key_is_refused(bench: Bench) -> None:
    """Its marked key and the reference must agree."""
    answer = bench.shard(accounts, "a").entity("a").actor_ref.ask(Do(account="b"), block=False)
    bench.run()
    with pytest.raises(MisuseError, match="is for key 'b', but was told to 'a'"):
        answer.get(timeout=0)


def test_a_message_that_cannot_be_written_is_the_askers_error(bench: Bench) -> None:
    """A field of a wrong type harms nobody else, and an outage in between does not either."""
    shard = bench.shard(accounts, "a")
    bench.moods.fail("dispositions", StoreUnavailable("away"), times=2)
    wrong = shard.entity("a").actor_ref.ask(Do(account="a", deeds=cast("tuple[str]", (1,))), block=False)
    right = shard.entity("a").actor_ref.ask(Do(account="a", deeds=("one",)), block=False)
    bench.run()
    with pytest.raises(EncodeFailed, match="deeds"):
        wrong.get(timeout=0)
    assert right.get(timeout=0).done == ("one",)


@pytest.mark.parametrize("point", ["phase:taken", "phase:loaded", "phase:handled", "phase:committed"])
def test_who_waits_is_told_when_the_worker_ends(bench: Bench, point: str) -> None:
    """Wherever the group is that has the question in hand, and also when the shard is lost meanwhile."""
    shard = bench.shard(accounts, "a")
    asked = shard.entity("a").actor_ref.ask(Do(account="a"), block=False)
    bench.until(point)
    queued = shard.entity("a").actor_ref.ask(Do(account="a"), block=False)
    bench.engine.abandon()
    for answer in (asked, queued):
        with pytest.raises(ShardLost):
            answer.get(timeout=0)


def test_who_waits_is_told_when_the_shard_goes_while_the_store_is_away(bench: Bench) -> None:
    """The group is given back to a shard that is not ours any more."""
    shard = bench.shard(accounts, "a")
    asked = shard.entity("a").actor_ref.ask(Do(account="a"), block=False)
    bench.until("phase:known")
    bench.engine.holdings.lose(shard, "taken", Loss.TAKEN)
    bench.moods.fail("states", StoreUnavailable("away"))
    bench.step()
    with pytest.raises(ShardLost):
        asked.get(timeout=0)


def test_who_asks_a_shard_that_has_left_is_told(bench: Bench) -> None:
    """Also when the shard leaves between the caller's look and its letter."""
    shard = bench.shard(accounts, "a")
    inbox = shard.entity("a").actor_inbox
    future = shard.entity("a").actor_ref.actor_class._create_future()
    bench.engine.holdings.lose(shard, "taken", Loss.TAKEN)
    shard.post("a", Do(account="a"), future)
    assert inbox.empty()
    with pytest.raises(ShardLost, match="ask again"):
        future.get(timeout=0)
