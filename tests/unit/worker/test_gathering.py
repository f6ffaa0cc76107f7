"""What a group takes from the shards: from each its share, and what nobody needs from those that have more (R21)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from magnetar.runtime.worker.batch import Limits
from magnetar.runtime.worker.custody import Careful
from magnetar.runtime.worker.engine import Settings
from magnetar.runtime.worker.gathering import gather
from magnetar.runtime.worker.membership import ALONE
from magnetar.runtime.worker.ownership import Tenure
from magnetar.runtime.worker.shard import Mail
from tests.unit.worker.bank import Do, accounts
from tests.unit.worker.bench import START, Bench

if TYPE_CHECKING:
    from magnetar.runtime.worker.shard import Shard

SHARDS = 5
_OWED = 1_000


def _shards(waiting: list[int], careful: list[bool]) -> list[Shard]:
    """Five of one worker; so much mail waits in each, and some have lost their last owner."""
    shards = Bench(settings=Settings(tenure=Tenure(liveness=ALONE))).engine.holdings.shards()
    assert len(shards) == SHARDS
    for shard, count, cares in zip(shards, waiting, careful, strict=True):
        shard.mail.extend(Mail("a", Do(account="a"), None) for _ in range(count))
        if cares:
            shard.custody.careful = Careful(START, {feed.name: _OWED for feed in shard.feeds}, {})
    return shards


@given(
    waiting=st.lists(st.integers(0, 60), min_size=SHARDS, max_size=SHARDS),
    careful=st.lists(st.booleans(), min_size=SHARDS, max_size=SHARDS),
    room=st.integers(1, 100),
    few=st.integers(1, 8),
)
def test_each_has_its_share_and_no_room_is_left_that_somebody_needs(
    waiting: list[int], careful: list[bool], room: int, few: int
) -> None:
    """However deep its neighbours are; a careful one has few at most; and nobody is full while another goes hungry."""
    shards = _shards(waiting, careful)
    batches = gather(shards, room, few, START)
    taken = {batch.shard.name: batch.size for batch in batches}
    share, total = room // SHARDS, sum(taken.values())
    assert total <= room
    for shard, count, cares in zip(shards, waiting, careful, strict=True):
        assert taken.get(shard.name, 0) >= min(count, share, few if cares else share)
        if cares:
            assert taken.get(shard.name, 0) <= few
    if total < room:
        for shard, count, cares in zip(shards, waiting, careful, strict=True):
            assert cares or taken.get(shard.name, 0) == count


def test_what_is_deep_fills_a_group_where_nobody_else_needs_the_room() -> None:
    """And what comes to it in two helpings is one batch: acknowledged once, in its order (R10)."""
    bench = Bench(settings=Settings(limits=Limits(group=10), tenure=Tenure(liveness=ALONE)))
    for number in range(30):
        bench.send(Do(account="a", deeds=(str(number),)))
    bench.run()
    assert [size for _, size, _ in bench.observer.of("committed") if size] == [10, 10, 10]
    assert bench.state(accounts, "a").done == tuple(map(str, range(30)))


def test_what_was_taken_in_two_helpings_goes_back_in_its_order() -> None:
    """A commit is refused for want of the store: the same messages come again, first to last."""
    bench = Bench(settings=Settings(limits=Limits(group=10), tenure=Tenure(liveness=ALONE)))
    for number in range(10):
        bench.send(Do(account="a", deeds=(str(number),)))
    shards = bench.engine.holdings.shards()
    [batch] = gather(shards, 10, 8, bench.now)
    assert batch.size == 10
    batch.give_back()
    bench.run()
    assert bench.state(accounts, "a").done == tuple(map(str, range(10)))
