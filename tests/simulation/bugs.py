"""The bug zoo: engines broken on purpose, each in one place. A simulation that lets one pass proves nothing.

Each bug is a function that breaks the product through pytest's `MonkeyPatch`; its docstring names the rule it breaks.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any

from magnetar.runtime.store.sqlite import store as sqlite_store
from magnetar.runtime.store.sqlite.commit import commit_group
from magnetar.runtime.store.sqlite.database import SQL
from magnetar.runtime.store.sqlite.store import SqliteStore
from magnetar.runtime.worker import relay as relay_module
from magnetar.runtime.worker import turn as turn_module
from magnetar.runtime.worker.batch import Batch
from magnetar.runtime.worker.commit import ReadBack, advance
from magnetar.runtime.worker.ownership import Ownership
from magnetar.runtime.worker.relay import Relay
from magnetar.runtime.worker.timers import Timers
from magnetar.runtime.worker.turn import Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pytest

    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.port import ShardChanges, ShardName, ShardRow, Store
    from magnetar.runtime.worker.batch import Group
    from magnetar.runtime.worker.handling import Handled
    from magnetar.runtime.worker.machine import Next
    from magnetar.runtime.worker.shard import Shard

    Bug = Callable[[pytest.MonkeyPatch], None]


def acknowledges_before_the_commit(patch: pytest.MonkeyPatch) -> None:
    """R10."""
    commit = Turn._commit

    def early(turn: Turn, now: Instant) -> Next:
        for batch in turn._hand().batches:
            for feed, deliveries in batch.deliveries:
                feed.source.acknowledge(deliveries[-1].position)
        return commit(turn, now)

    patch.setattr(Turn, "_commit", early)


def asks_the_journal_nothing(patch: pytest.MonkeyPatch) -> None:
    """R2: what comes again is handled again."""

    def nothing(_: Turn, group: Group) -> dict[str, set[bytes]]:
        return {batch.shard.plan.name: set() for batch in group.batches}

    patch.setattr(Turn, "_known", nothing)


def forgets_duplicates_within_a_group(patch: pytest.MonkeyPatch) -> None:
    """R2: what came twice in one group is handled twice."""

    def drop(_: Turn, batch: Batch, known: set[bytes]) -> None:
        batch.arrivals = [arrival for arrival in batch.arrivals if arrival.message_id not in known]

    patch.setattr(Turn, "_drop_known", drop)


def advances_memory_before_the_commit(patch: pytest.MonkeyPatch) -> None:
    """R7: states, counters and the lane run ahead of the store."""
    handle = Turn._handle

    def eager(turn: Turn, now: Instant) -> Next:
        wanted = handle(turn, now)
        for handled in turn._hand().parts:
            advance(handled.shard, handled)
        return wanted

    def nothing(*_: object) -> None:
        pass

    patch.setattr(Turn, "_handle", eager)
    patch.setattr(turn_module, "advance", nothing)


def takes_an_unknown_commit_for_lost(patch: pytest.MonkeyPatch) -> None:
    """R8: the same rows again, whatever `commits` says."""

    def again(store: Store, parts: Sequence[Handled], owner: str) -> ReadBack:
        result = ReadBack([], [], [])
        for handled in parts:
            row = store.take(handled.shard.name, handled.shard.epoch, owner)
            if row is None:
                result.lost.append(handled.shard)
                continue
            handled.shard.epoch = handled.changes.epoch = row.epoch
            handled.shard.commits = handled.changes.commits = row.commits
            result.again.append(handled)
        return result

    patch.setattr(turn_module, "read_back", again)


def takes_an_unknown_commit_for_done(patch: pytest.MonkeyPatch) -> None:
    """R8: nothing is read back."""

    def done(store: Store, parts: Sequence[Handled], owner: str) -> ReadBack:
        return ReadBack(list(parts), [], [])

    patch.setattr(turn_module, "read_back", done)


def skips_a_row_that_failed(patch: pytest.MonkeyPatch) -> None:
    """R19: a failed send counts as confirmed."""

    def skip(_: Relay, shard: Any, destination: object, outlet: object, row: Any, receipt: object) -> None:
        shard.lane.confirm(row.number)

    patch.setattr(Relay, "_fail", skip)


def names_its_producers_anew(patch: pytest.MonkeyPatch) -> None:
    """R18: a name for each tenure, so that the broker cannot know what it has."""
    numbers = count()
    name = relay_module.producer_name

    def fresh(*place: Any) -> str:
        return f"{name(*place)}:{next(numbers)}"

    patch.setattr(relay_module, "producer_name", fresh)


def goes_on_behind_a_row_that_failed(patch: pytest.MonkeyPatch) -> None:
    """R19: what failed is sent again after what had not been sent yet."""

    def begin_again(relay: Relay, outlet: Any, now: Instant) -> None:
        outlet.queue.extend(outlet.unconfirmed)
        outlet.unconfirmed.clear()
        outlet.last_sent = 0
        outlet.producer.close()
        outlet.producer = None

    patch.setattr(Relay, "_begin_again", begin_again)


def commits_without_a_fence(patch: pytest.MonkeyPatch) -> None:
    """R6: whoever comes may write, under whatever epoch and count there is."""

    def unfenced(connection: Any, group: Sequence[ShardChanges], tables: Any) -> frozenset[ShardName]:
        current = [_under_current_counters(connection, changes) for changes in group]
        return commit_group(connection, current, tables)

    patch.setattr(sqlite_store, "commit_group", unfenced)


def _under_current_counters(connection: Any, changes: ShardChanges) -> ShardChanges:
    _, epoch, _, commits, *_ = connection.rows(SQL["shard"], (changes.shard,))[0]
    return replace(changes, epoch=epoch, commits=commits)


def takes_a_shard_that_moved(patch: pytest.MonkeyPatch) -> None:
    """R12: taking is no compare-and-set, so one's own loss is never noticed in reading back."""
    take = SqliteStore.take

    def always(store: SqliteStore, shard: ShardName, epoch: int, owner: str) -> ShardRow | None:
        return take(store, shard, store.epochs([shard])[shard], owner)

    patch.setattr(SqliteStore, "take", always)


def keeps_states_of_an_earlier_tenure(patch: pytest.MonkeyPatch) -> None:
    """R12: memory of an earlier tenure is trusted."""
    move_in, kept = Ownership._move_in, dict[tuple[str, str], dict[str, Any]]()

    def hoarding(ownership: Ownership, claim: Any, row: ShardRow, now: Instant) -> None:
        move_in(ownership, claim, row, now)
        shard = ownership._holdings.find(row.shard)
        assert shard is not None
        shard.entities = kept.setdefault((row.owner, row.shard), shard.entities)

    patch.setattr(Ownership, "_move_in", hoarding)


def fires_timers_at_once(patch: pytest.MonkeyPatch) -> None:
    """R26: a due timer does not wait for what was published before it was due."""

    def may(_: Timers, shard: Shard, due: Instant, instant: Instant) -> bool:
        return due <= instant and not shard.in_turn

    patch.setattr(Timers, "_may_fire", may)


def gives_back_behind_the_rest(patch: pytest.MonkeyPatch) -> None:
    """R21: what could not be committed is taken again from its end."""

    def give_back(batch: Batch) -> None:
        for feed, deliveries in batch.deliveries:
            feed.returned.extend(reversed(deliveries))
        batch.shard.due.extendleft(reversed(batch.due))
        batch.shard.in_turn = False

    patch.setattr(Batch, "give_back", give_back)


BUGS: dict[str, tuple[Bug, int]] = {
    bug.__name__: (bug, within)
    for bug, within in (
        (acknowledges_before_the_commit, 60),
        (asks_the_journal_nothing, 20),
        (forgets_duplicates_within_a_group, 20),
        (advances_memory_before_the_commit, 20),
        (takes_an_unknown_commit_for_lost, 20),
        (takes_an_unknown_commit_for_done, 40),
        (skips_a_row_that_failed, 20),
        (names_its_producers_anew, 20),
        (goes_on_behind_a_row_that_failed, 300),
        (commits_without_a_fence, 200),
        (takes_a_shard_that_moved, 400),
        (keeps_states_of_an_earlier_tenure, 20),
        (fires_timers_at_once, 60),
        (gives_back_behind_the_rest, 300),
    )
}
"""Bug → how it is made, and within how many seeds it must be caught."""
