"""The parked keys of one shard, as they are committed: why each waits, and which may go on (R22, R23).

Data only. A key is parked until the commit that empties its tail; what it waits for is in its row: `due`, or a person.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from magnetar.runtime.store.parking import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.parking import ParkedKey, ParkedRow, Parking
    from magnetar.runtime.store.port import Store


def waiting(key: ParkedKey) -> int:
    """How many messages wait for the key."""
    return key.last - key.first + 1


def rows_of(store: Store, key: ParkedKey, limit: int) -> list[ParkedRow]:
    """What waits for the key, head first, at most `limit` rows, as far as the shard knows of it.

    A worker that was frozen may read what the shard's next owner has written before it learns that the shard is lost:
    rows that do not begin with its head, or more of them. What it does not know it leaves; its commit is refused (R6).
    Raises `StoreUnavailable`.
    """
    rows = store.parked(key.actor, key.key, key.first, limit)
    if rows and rows[0].ordinal != key.first:
        return []
    return [row for row in rows if row.ordinal <= key.last]


@dataclass(slots=True)
class ParkedKeys:
    """A shard's parked keys. `keys` change after a commit only (R7).

    `bound`: as many messages may wait for one key; at that, the shard stops receiving. `grace`: so long after the due
    time of a head that failed its row rings, if no bell has (R23). `ringing`: keys whose time has come and that no turn
    has taken yet, in order, and `rung` what was due then. `suspects` are those of them whose head has taken a worker
    with it: it goes alone (R25).
    """

    bound: int
    grace: Instant
    keys: dict[str, ParkedKey] = field(default_factory=dict)
    ringing: deque[str] = field(default_factory=deque)
    suspects: deque[str] = field(default_factory=deque)
    rung: dict[str, Instant] = field(default_factory=dict)
    crowded: set[str] = field(default_factory=set)
    heap: list[tuple[Instant, str]] = field(default_factory=list)

    @property
    def full(self) -> bool:
        """Whether so many messages wait for a key that the shard must receive nothing more."""
        return bool(self.crowded)

    def load(self, keys: Iterable[ParkedKey], instant: Instant) -> None:
        """Know what the store says on taking the shard. What nobody could read is due now: newer code may (R30)."""
        for key in keys:
            unread = key.reason == Reason.UNREAD and key.due is not None
            self.keep(key._replace(due=min(key.due or instant, instant)) if unread else key)

    def follow(self, group: Parking) -> None:
        """What a committed group has made of them."""
        for key in group.parked_keys:
            self.keep(key)
        for _, name in group.freed:
            self.free(name)

    def keep(self, key: ParkedKey) -> None:
        """A key is parked, or is parked otherwise than before."""
        self.keys[key.key] = key
        (self.crowded.add if waiting(key) >= self.bound else self.crowded.discard)(key.key)
        self._expect(key)

    def free(self, key: str) -> None:
        """Nothing waits for the key any more."""
        del self.keys[key]
        self.crowded.discard(key)

    def ring(self, key: str, instant: Instant) -> bool:
        """A bell has rung for the key: it goes on, if its head is due. False: a bell of an earlier time."""
        parked = self.keys.get(key)
        if parked is None or parked.due is None or parked.due > instant:
            return False
        if self.rung.get(key) != parked.due:
            self.rung[key] = parked.due
            self._queue(parked).append(key)
        return True

    def take(self) -> str | None:
        """The next key that goes on. One that a turn had in hand while it rang again may be done with by now."""
        return self._take(self.ringing)

    def take_suspect(self) -> str | None:
        """The same, of those that go alone."""
        return self._take(self.suspects)

    def _take(self, queue: deque[str]) -> str | None:
        while queue:
            key = queue.popleft()
            due, parked = self.rung.pop(key, None), self.keys.get(key)
            if due is not None and parked is not None and parked.due == due:
                return key
        return None

    def give_back(self, keys: Sequence[str]) -> None:
        """They were taken, and nothing came of it: they are the next, in the same order."""
        for key in reversed(keys):
            parked = self.keys.get(key)
            if key not in self.rung and parked is not None and parked.due is not None:
                self.rung[key] = parked.due
                self._queue(parked).appendleft(key)

    def let_go(self, keys: Sequence[str]) -> None:
        """A turn is done with them. One that stayed as it was rings again: a clock put back had made it too early."""
        for name in keys:
            if (key := self.keys.get(name)) is not None:
                self._expect(key)

    def ring_by_row(self, instant: Instant) -> Instant | None:
        """Let those go on whose own time has come, bell or no bell; returns when the next one's will."""
        while self.heap and self.heap[0][0] <= instant:
            at, key = heappop(self.heap)
            parked = self.keys.get(key)
            if parked is not None and parked.due is not None and self._rings(parked, parked.due) == at:
                self.ring(key, instant)
        return self.heap[0][0] if self.heap else None

    def _queue(self, key: ParkedKey) -> deque[str]:
        return self.suspects if key.crashes else self.ringing

    def _expect(self, key: ParkedKey) -> None:
        """Its row rings, if it is due by itself."""
        if key.due is not None:
            heappush(self.heap, (self._rings(key, key.due), key.key))

    def _rings(self, key: ParkedKey, due: Instant) -> Instant:
        return due + self.grace if key.failures or key.crashes else due
