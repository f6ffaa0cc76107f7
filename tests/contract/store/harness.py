"""What an adapter brings so that the store contract can be run on it, and the verbs in which the contract is written.

To plug in an adapter: write a fixture that yields a `StoreHarness` (in a module of its own beside this one, skipping
with a reason when its server is missing), import it in `conftest.py` and add its name to `HARNESSES` there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from magnetar.runtime.bus.port import Position
from magnetar.runtime.store.port import ShardChanges, Taker
from magnetar.runtime.table import Table

if TYPE_CHECKING:
    from magnetar.runtime.store.held import Held
    from magnetar.runtime.store.port import JournalRow, ShardName, ShardRow, Store
    from magnetar.runtime.store.replays import Requests
    from magnetar.runtime.store.views import Views

ACTOR = "orders"
PARTITIONS = 4
SHARD = "orders/0"
OTHER = "orders/1"
LIFE = "life"
"""Of the worker that has something in hand: see `Hand.holder`."""

LEDGER = Table("ledger", (("amount", "integer", False), ("order", "text", True)))
"""An application's table; `order` is a word that SQL keeps for itself."""


class StoreHarness(Protocol):
    """An adapter under test, with an empty database behind it that outlives the stores opened on it."""

    def open(self) -> Store:
        """A new connection to the database, as another process would have; closed by the harness."""
        ...

    def views(self) -> Views:
        """Views of the database; closed by the harness."""
        ...

    def requests(self) -> Requests:
        """What a tool writes, as from another process; closed by the harness."""
        ...

    def held(self) -> Held:
        """All that code must be able to read; closed by the harness."""
        ...

    def die(self, store: Store) -> None:
        """The process that holds this store dies: its connection is gone, without `close`."""
        ...

    def die_before_commit(self, store: Store, group: list[ShardChanges]) -> None:
        """It dies when it has written all rows of the group, and has not yet committed them."""
        ...


def epoch_of(store: Store, shard: ShardName = SHARD) -> int:
    """The shard's epoch now."""
    return store.standings([shard])[shard].epoch


class Owner:
    """A worker as the store sees it: it took shards, and knows their epochs, commit counters and lanes."""

    def __init__(self, store: Store, *shards: ShardName, name: str = "worker") -> None:
        self.store = store
        self.name = name
        self.owned: dict[ShardName, ShardRow] = {}
        for shard in shards:
            self.take(shard)

    def take(self, shard: ShardName) -> ShardRow:
        """Own the shard, whoever has it now."""
        row = self.store.take(shard, epoch_of(self.store, shard), Taker(self.name))
        assert row is not None
        self.owned[shard] = row
        return row

    def changes(self, shard: ShardName = SHARD) -> ShardChanges:
        """No changes yet, under this owner's fence."""
        row = self.owned[shard]
        return ShardChanges(shard, row.epoch, row.commits, row.lane, row.floor)

    def commit(self, *group: ShardChanges) -> frozenset[ShardName]:
        """Commit; what was not refused advances what this owner knows."""
        refused = self.store.commit(list(group))
        for each in group:
            if each.shard not in refused:
                known = self.owned[each.shard]
                self.owned[each.shard] = known._replace(
                    commits=each.commits + 1,
                    lane=each.lane,
                    floor=each.floor,
                    positions={**known.positions, **each.positions},
                )
        return refused

    def applied(self, *rows: JournalRow, shard: ShardName = SHARD) -> ShardChanges:
        """Changes that hold these journal rows and the position of the last."""
        changes = self.changes(shard)
        changes.journal.extend(rows)
        changes.positions[shard] = Position(7, changes.commits)
        return changes
