"""Who should have what: balanced, the same for all who see the same, and nothing moves that could stay (R14)."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from magnetar.runtime.worker.assignment import assign, in_order

NAMES = st.sampled_from([f"host-{number}" for number in range(12)])
WORKERS = st.sets(NAMES, min_size=1, max_size=9)
SHARDS = st.integers(0, 40).map(lambda count: {f"orders/{number}" for number in range(count)})


def moved(before: dict[str, str], after: dict[str, str]) -> int:
    """How many shards have another owner."""
    return sum(before[shard] != after[shard] for shard in before)


def sizes(wanted: dict[str, str], workers: set[str]) -> list[int]:
    """How many each worker has."""
    counted = Counter(wanted.values())
    return [counted[worker] for worker in workers]


@given(SHARDS, WORKERS, st.data())
def test_every_shard_is_wanted_by_one_live_worker(shards: set[str], workers: set[str], data: st.DataObject) -> None:
    """Whoever has it now, alive or not; and no two workers differ by more than one shard."""
    owner = st.one_of(st.sampled_from(sorted(workers)), st.just(""), NAMES)
    owners = {shard: data.draw(owner) for shard in sorted(shards)}
    wanted = assign(owners, workers)
    assert wanted.keys() == shards
    assert set(wanted.values()) <= workers
    counts = sizes(wanted, workers)
    assert max(counts) - min(counts) <= 1


@given(SHARDS, WORKERS, st.data())
def test_no_shard_moves_that_could_stay(shards: set[str], workers: set[str], data: st.DataObject) -> None:
    """From anywhere: only orphans and what is above a fair share move, and that is as few as balance allows."""
    owner = st.one_of(st.sampled_from(sorted(workers)), st.just(""))
    owners = {shard: data.draw(owner) for shard in sorted(shards)}
    orphans = sum(owner == "" for owner in owners.values())
    share, more = divmod(len(shards), len(workers))
    counted = Counter(owners.values())
    held = sorted((counted[worker] for worker in workers), reverse=True)
    surplus = sum(max(0, count - share - (place < more)) for place, count in enumerate(held))
    assert moved(owners, assign(owners, workers)) == orphans + surplus


@given(SHARDS, WORKERS, NAMES)
def test_a_join_moves_only_the_share_of_the_one_that_joins(shards: set[str], workers: set[str], joins: str) -> None:
    """Everything that moves, moves to it."""
    before = assign(dict.fromkeys(shards, ""), workers)
    after = assign(before, workers | {joins})
    if joins not in workers:
        assert moved(before, after) <= len(shards) // (len(workers) + 1) + 1
        assert {after[shard] for shard in shards if before[shard] != after[shard]} <= {joins}


@given(SHARDS, st.sets(NAMES, min_size=2, max_size=9), st.data())
def test_a_leave_moves_only_what_the_leaver_had(shards: set[str], workers: set[str], data: st.DataObject) -> None:
    """The others keep all that they had."""
    leaves = data.draw(st.sampled_from(sorted(workers)))
    before = assign(dict.fromkeys(shards, ""), workers)
    after = assign(before, workers - {leaves})
    assert {shard for shard in shards if before[shard] != after[shard]} == {
        shard for shard in shards if before[shard] == leaves
    }


@given(SHARDS, WORKERS)
def test_what_is_assigned_stays(shards: set[str], workers: set[str]) -> None:
    """Once all have what they want, nobody wants anything else; in whatever order it is told."""
    wanted = assign(dict.fromkeys(shards, ""), workers)
    assert assign(wanted, workers) == wanted
    backwards = dict(sorted(wanted.items(), reverse=True))
    assert assign(backwards, sorted(workers, reverse=True)) == wanted


@given(SHARDS, WORKERS, st.data())
def test_a_shard_that_was_let_go_is_still_wanted_by_the_same(
    shards: set[str], workers: set[str], data: st.DataObject
) -> None:
    """Between one owner and the next nobody changes their mind: not when it is nobody's, nor when it has arrived."""
    owner = st.one_of(st.sampled_from(sorted(workers)), st.just(""))
    owners = {shard: data.draw(owner) for shard in sorted(shards)}
    wanted = assign(owners, workers)
    for shard in data.draw(st.lists(st.sampled_from(sorted(shards)), unique=True) if shards else st.just([])):
        if owners[shard] != wanted[shard]:
            owners[shard] = data.draw(st.sampled_from(["", wanted[shard]]))
    assert assign(owners, workers) == wanted


def test_nobody_is_there() -> None:
    """Then nobody wants anything."""
    assert assign({"orders/0": "gone"}, set()) == {}


@given(WORKERS)
def test_the_order_of_substitutes_is_of_all_and_by_shard(workers: set[str]) -> None:
    """Every worker once; other shards have other orders, so that a dead worker's do not all fall to one."""
    assert sorted(in_order("orders/0", workers)) == sorted(workers)
    firsts = {in_order(f"orders/{number}", {"a", "b", "c"})[0] for number in range(40)}
    assert firsts == {"a", "b", "c"}
