"""The contract of timers and of the outbox lane: what the next owner of a shard finds (R18, R19, R26)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.contract.store.harness import ACTOR, OTHER, SHARD
from tests.contract.store.rows import cancelled, fired, outbox_row, timer_row

if TYPE_CHECKING:
    from collections.abc import Iterable

    from magnetar.runtime.store.port import GoneTimer, Store, TimerRow
    from magnetar.runtime.store.views import Views
    from tests.contract.store.harness import Owner

FAR = 10**18


def commit_timers(
    owner: Owner, armed: Iterable[TimerRow] = (), gone: Iterable[GoneTimer] = (), shard: str = SHARD
) -> None:
    """One commit that arms and removes."""
    changes = owner.changes(shard)
    changes.armed.extend(armed)
    changes.gone.extend(gone)
    assert owner.commit(changes) == frozenset()


def send(owner: Owner, *numbers: int, shard: str = SHARD) -> None:
    """One commit that puts these numbers into the lane."""
    changes = owner.changes(shard)
    changes.outbox.extend(outbox_row(number, shard) for number in numbers)
    changes.lane = max(numbers)
    assert owner.commit(changes) == frozenset()


def test_due_timers_of_a_shard(owner: Owner, store: Store) -> None:
    """Those due at or before the instant, the earliest first; never another shard's."""
    early, middle, late = (timer_row(name, due=due) for name, due in (("z", 10), ("y", 20), ("x", 21)))
    commit_timers(owner, [late, middle, early])
    commit_timers(owner, [timer_row(key="o-2", due=5, shard=OTHER)], shard=OTHER)
    assert store.timers(SHARD, 9) == []
    assert store.timers(SHARD, 20) == [early, middle]
    assert store.timers(SHARD, FAR) == [early, middle, late]


def test_a_timer_is_armed_once_per_name(owner: Owner, store: Store) -> None:
    """Arming it again replaces instant, generation and body; another key's or another name's is its own."""
    others = [timer_row("other"), timer_row(key="o-2")]
    commit_timers(owner, [timer_row(due=10), *others])
    again = timer_row(due=30, generation=2)._replace(body=b"new", type="shop.Late", schema="c" * 32)
    commit_timers(owner, [again])
    assert sorted(store.timers(SHARD, FAR)) == sorted([again, *others])


def test_a_fired_timer_is_gone(owner: Owner, store: Store) -> None:
    """Only that one, of that generation."""
    commit_timers(owner, [timer_row(), timer_row("other")])
    commit_timers(owner, gone=[fired(timer_row())])
    assert store.timers(SHARD, FAR) == [timer_row("other")]


def test_a_cancelled_timer_is_gone_whatever_its_generation(owner: Owner, store: Store) -> None:
    """Cancelling one that is not armed is no error."""
    commit_timers(owner, [timer_row(generation=7)])
    commit_timers(owner, gone=[cancelled(timer_row()), cancelled(timer_row("never"))])
    assert store.timers(SHARD, FAR) == []


def test_a_timer_fires_and_is_armed_anew_in_one_commit(owner: Owner, store: Store) -> None:
    """What goes, goes before what is armed."""
    commit_timers(owner, [timer_row(), timer_row("other")])
    anew, other = timer_row(due=200, generation=2), timer_row("other", due=300, generation=3)
    commit_timers(owner, [anew, other], [fired(timer_row()), cancelled(timer_row("other"))])
    assert store.timers(SHARD, FAR) == [anew, other]


def test_timers_of_a_key_by_due_time(owner: Owner, views: Views) -> None:
    """Operators see a key's armed timers in the order in which they will fire."""
    late, early = timer_row("a", due=30), timer_row("b", due=20)
    commit_timers(owner, [late, early, timer_row(key="o-2")])
    assert views.timers_of(ACTOR, "o-1") == [early, late]
    assert views.timers_of(ACTOR, "nobody") == []


def test_the_lane_is_read_in_order_and_in_windows(owner: Owner, store: Store) -> None:
    """Numbers above the one given, ascending, at most so many; never another shard's."""
    send(owner, 3, 1, 2)
    send(owner, 10)
    send(owner, 1, 2, shard=OTHER)
    assert store.outbox(SHARD, 0, 100) == [outbox_row(number) for number in (1, 2, 3, 10)]
    assert store.outbox(SHARD, 1, 2) == [outbox_row(2), outbox_row(3)]
    assert store.outbox(SHARD, 10, 100) == []


def test_sent_rows_go_by_range(owner: Owner, store: Store) -> None:
    """From above the first number up to and with the second, in a commit that adds others; the rest stays."""
    send(owner, 1, 2, 3, 4)
    send(owner, 1, 2, shard=OTHER)
    changes = owner.changes()
    changes.sent = (1, 3)
    changes.outbox.append(outbox_row(5))
    owner.commit(changes)
    assert store.outbox(SHARD, 0, 100) == [outbox_row(number) for number in (1, 4, 5)]
    assert store.outbox(OTHER, 0, 100) == [outbox_row(1, OTHER), outbox_row(2, OTHER)]


def test_sent_rows_of_a_refused_shard_stay(owner: Owner, store: Store) -> None:
    """A zombie cannot remove what its successor still has to send."""
    send(owner, 1)
    late = owner.changes()
    late.sent = (0, 1)
    owner.take(SHARD)
    assert store.commit([late]) == {SHARD}
    assert store.outbox(SHARD, 0, 100) == [outbox_row(1)]


def test_unsent_rows_of_an_actor(owner: Owner, store: Store, views: Views) -> None:
    """Those of all its shards, each lane in order; not those of an actor whose name only begins alike."""
    for actor in ("orders-eu", "order", "orders0"):
        store.prepare({actor: 1}, [])
        owner.take(f"{actor}/0")
        send(owner, 1, shard=f"{actor}/0")
    send(owner, 2, 1)
    send(owner, 1, shard=OTHER)
    assert views.unsent_of(ACTOR) == [outbox_row(1), outbox_row(2), outbox_row(1, OTHER)]
    assert views.unsent_of("stock") == []
