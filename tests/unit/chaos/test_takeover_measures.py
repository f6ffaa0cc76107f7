"""What the takeover report computes: gaps, moves, the load's plan, and how a row is judged."""

from __future__ import annotations

from collections import Counter
from itertools import permutations
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magnetar.chaos.cluster.crew import figures
from magnetar.chaos.takeover.catching import queued
from magnetar.chaos.takeover.gaps import Gap, Passed, gaps, longest
from magnetar.chaos.takeover.moves import Held, is_balanced, least, made
from magnetar.chaos.takeover.plan import PAID_AFTER, Customers, row_of, stocked
from magnetar.chaos.takeover.starving import LATEST, OTHERS, STOLEN, Hunger, Look, hunger, read, used
from magnetar.runtime.instant import SECOND
from magnetar.runtime.routing import partition_of
from magnetar.schemas.commerce import Capture, Place, Restock

if TYPE_CHECKING:
    from pathlib import Path

pairs = st.tuples(st.integers(0, 60), st.integers(0, 30)).map(lambda pair: (pair[0], pair[0] + pair[1]))


def by_looking_at_each_instant(some: list[Passed]) -> set[int]:
    """The instants (each begins a stretch of one microsecond) in which something waited, for what is seen later."""
    return {at for at in range(100) if any(each.came <= at < each.seen for each in some)}


@given(st.lists(pairs, min_size=1, max_size=8))
def test_gaps_cover_just_the_time_in_which_something_waited(times: list[tuple[int, int]]) -> None:
    """No instant is missed, none is counted twice."""
    some = [Passed("orders/0", came, seen) for came, seen in times]
    found = gaps(some)["orders/0"]
    covered = [at for gap in found for at in range(gap.begin, gap.end)]
    assert len(covered) == len(set(covered))
    assert set(covered) == by_looking_at_each_instant(some)


@given(st.lists(pairs, min_size=1, max_size=8))
def test_within_a_gap_nothing_is_seen(times: list[tuple[int, int]]) -> None:
    """A gap ends with the first that is seen."""
    some = [Passed("orders/0", came, seen) for came, seen in times]
    for gap in gaps(some)["orders/0"]:
        assert not [each for each in some if gap.begin < each.seen < gap.end]
        assert gap.end in {each.seen for each in some}


def test_a_shard_for_which_nothing_waits_has_no_gap() -> None:
    """The time between is nobody's fault."""
    idle = [Passed("stock/1", 0, 2), Passed("stock/1", 1_000, 1_002)]
    assert gaps(idle) == {"stock/1": [Gap("stock/1", 0, 2), Gap("stock/1", 1_000, 1_002)]}


def test_shards_do_not_fill_each_others_gaps() -> None:
    """Each stands still for itself."""
    two = [Passed("stock/1", 0, 10), Passed("stock/2", 5, 6)]
    assert gaps(two) == {"stock/1": [Gap("stock/1", 0, 10)], "stock/2": [Gap("stock/2", 5, 6)]}


def test_a_bound_that_counts_from_a_mark_counts_what_is_after_it() -> None:
    """The longest gap is not always the one that counts."""
    before, after = Gap("stock/1", 0, 60), Gap("stock/2", 45, 70)
    assert longest([before, after], 0, 100) == before
    assert longest([before, after], 0, 100, since=50) == after
    assert after.since(50) == 20
    assert before.since(90) == 0


def test_a_gap_belongs_to_the_row_in_which_it_ends() -> None:
    """So each is in one row."""
    assert longest([Gap("stock/1", 0, 60)], 0, 59) is None
    assert longest([Gap("stock/1", 0, 60)], 60, 99) == Gap("stock/1", 0, 60)


owners = st.lists(st.sampled_from("abcde"), min_size=1, max_size=6)


@given(owners, st.sets(st.sampled_from("abcdef"), min_size=1, max_size=4))
def test_the_least_moves_are_those_of_the_best_of_all_balanced_shares(before: list[str], workers: set[str]) -> None:
    """Compared with trying all of them."""
    size, larger = divmod(len(before), len(workers))
    best = len(before)
    for order in permutations(sorted(workers)):
        room = {worker: size + (at < larger) for at, worker in enumerate(order)}
        stay = sum(min(count, room.get(owner, 0)) for owner, count in Counter(before).items())
        best = min(best, len(before) - stay)
    assert least({f"stock/{at}": owner for at, owner in enumerate(before)}, workers) == best


@given(owners, st.sets(st.sampled_from("abcdef"), min_size=1, max_size=4))
def test_nothing_has_to_move_when_all_is_shared_out(before: list[str], workers: set[str]) -> None:
    """And something has to when it is not."""
    shards = {f"stock/{at}": owner for at, owner in enumerate(before)}
    assert is_balanced(shards, workers) == (least(shards, workers) == 0)


def test_there_and_back_are_two_moves() -> None:
    """The owners are as before; the epoch tells."""
    before = {"stock/0": Held("a", 3), "stock/1": Held("b", 1)}
    assert made(before, {"stock/0": Held("a", 5), "stock/1": Held("b", 1)}) == 2


@given(st.integers(0, 10_000), st.integers(1, 5))
def test_each_partition_has_its_turn_in_every_round(seed: int, rounds: int) -> None:
    """So no shard is without load for long."""
    customers = Customers(4, seed)
    for _ in range(rounds):
        turn = [customers.order(0.0, "kill")[0].partition for _ in range(4)]
        assert sorted(turn) == [0, 1, 2, 3]


@given(st.integers(0, 10_000))
def test_an_order_its_payment_and_its_article_are_of_one_partition(seed: int) -> None:
    """Whatever the seed."""
    customers = Customers(16, seed)
    placed, paid = customers.order(7.0, "kill")
    assert isinstance(placed.message, Place)
    assert isinstance(paid.message, Capture)
    [line] = placed.message.lines
    assert paid.at == 7.0 + PAID_AFTER
    assert paid.message.order_id == placed.message.order_id
    for key in (placed.message.order_id, paid.message.order_id, line.sku):
        assert partition_of(key, 16) == placed.partition == paid.partition


def test_the_same_seed_gives_the_same_orders() -> None:
    """And another gives others."""
    one, two, other = (Customers(8, seed) for seed in (1, 1, 2))
    orders = [[customers.order(at, "kill") for at in range(20)] for customers in (one, two, other)]
    assert orders[0] == orders[1] != orders[2]


def test_a_burst_goes_to_the_partitions_that_it_is_meant_for() -> None:
    """Those of one worker."""
    customers = Customers(8, 1)
    assert {customers.order(0.0, "freeze", [2, 5])[0].partition for _ in range(9)} == {2, 5}


def test_every_article_is_in_the_partition_of_its_shelf() -> None:
    """Or it could not be sold there."""
    wishes = stocked(4)
    assert len({wish.message_id for wish in wishes}) == len(wishes)
    for wish in wishes:
        assert isinstance(wish.message, Restock)
        assert partition_of(wish.message.sku, 4) == wish.partition


def test_a_text_belongs_to_the_row_that_it_names_and_to_no_other() -> None:
    """A complaint is put where its order was placed."""
    rows = ("kill", "all")
    assert row_of("actor orders, key kill-12.3: lost", rows) == "kill"
    assert row_of("message pay-all-1.0", rows) == "all"
    assert row_of("actor stock, key article-1-2.0", rows) is None
    assert row_of("kill-1.0 before all-2.0", rows) is None


def test_hunger_is_of_its_own_stretch_of_time() -> None:
    """One bad moment does not spoil the rows before it."""
    figures = ((0, 4, 0, 0, 0), (1, 9, 0, 20, 19), (2, 700_000, 50, 40, 39), (3, 5, 50, 90, 40))
    looks = [Look(at * SECOND, late, 7, stolen, busy, at * 100, ours) for at, late, stolen, busy, ours in figures]
    found = [hunger(looks, begin * SECOND, (begin + 1) * SECOND) for begin in range(4)]
    assert found == [Hunger(9e-6, 7e-6, 0.0, 0.01), Hunger(0.7, 7e-6, 0.5, 0.0), Hunger(0.7, 7e-6, 0.0, 0.49), None]
    assert [each.is_starving for each in found if each] == [False, True, True]


@pytest.mark.parametrize("kind", range(4))
def test_each_kind_of_hunger_is_enough(kind: int) -> None:
    """One is as bad as another."""
    most = (LATEST, LATEST, STOLEN, OTHERS)
    assert not Hunger(*most).is_starving
    assert Hunger(*(value * 1.1 if at == kind else 0.0 for at, value in enumerate(most))).is_starving


def test_what_descendants_used_is_ours_and_what_strangers_used_is_not() -> None:
    """Also where a parent is not to be seen."""
    processes = {1: (0, 5), 7: (1, 100), 8: (7, 20), 9: (8, 3), 10: (1, 1000), 11: (99, 1000)}
    assert used(7, processes) == 123
    assert used(1, processes) == 1128
    assert used(6, processes) == 0


def test_a_line_that_was_cut_short_is_left_out(tmp_path: Path) -> None:
    """The watch is killed in the middle of one."""
    path = tmp_path / "looks"
    path.write_text("1 2 3 4 5 6 7\n8 9")
    assert read(path) == [Look(1, 2, 3, 4, 5, 6, 7)]


def test_figures_of_a_worker_are_summed_over_their_labels() -> None:
    """As Prometheus reads them: comments are none, and neither is what has no number."""
    page = (
        "# HELP magnetar_duplicates_total Delivered messages that were known already.\n"
        'magnetar_duplicates_total{actor="orders"} 3.0\n'
        'magnetar_duplicates_total{actor="stock"} 4.0\n'
        "magnetar_commits_total 1.2e+03\n"
        "magnetar_commits_refused_total NaN\n"
    )
    assert figures(page) == {"magnetar_duplicates_total": 7, "magnetar_commits_total": 1200}


def test_what_is_queued_is_read_off_the_kernels_table() -> None:
    """Unread at the port itself, on a connection that stands; unsent to it, on any."""
    table = (
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
        "   0: 0102D50A:6784 0B02D50A:A001 01 00000000:00004000 00:00000000 00000000 0 0 1 1 0\n"
        "   1: 0102D50A:6784 0C02D50A:A001 01 00000000:00000010 00:00000000 00000000 0 0 1 1 0\n"
        "   2: 0102D50A:6784 00000000:0000 0A 00000000:0000FFFF 00:00000000 00000000 0 0 1 1 0\n"
        "   3: 0B02D50A:A001 0102D50A:6784 01 00000020:00000000 00:00000000 00000000 0 0 1 1 0\n"
    )
    assert queued(table, 0x6784) == (0x4000, 0x20)
    assert queued(table, 1) == (0, 0)
