"""The state of the database as all workers meet it: it goes away, is full or locked, and loses answers or its power."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from magnetar.chaos.history import Restored
from magnetar.chaos.simulation.disk import Disk
from magnetar.chaos.simulation.following import Followed
from magnetar.chaos.simulation.tails import Tails
from magnetar.runtime.store.port import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.chaos.history import History
    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.roster import Beat
    from magnetar.runtime.store.sqlite import SqliteMemory

WELL, BREATH = 4, 590_000
"""So many heartbeats, no two further apart than that (microseconds): a worker nobody has a reason to replace."""

HAPPENED, LOST, LATE = "happened", "lost", "late"
TORN = ("journal", "outbox", "armed", "positions")
"""What the database is about to write when a commit is torn: the connection is lost in the midst of the transaction."""


class Weather:
    """What the database does to those who use it.

    `fates`: what becomes of the next commits whose answer is lost. A *late* one is still under way when its worker
    hears of the loss: it ends, well or badly, before anybody else gets the locks that it holds. Of a *torn* one the
    first half had been written. `writes`: how often anything was written but heartbeats, so that nobody need look again
    whether all is at rest where nothing was.
    """

    def __init__(self, history: History, clock: Callable[[], Instant], database: SqliteMemory) -> None:
        self.history = history
        self.clock = clock
        self.database = database
        self.tails = Tails(history)
        self.requests = Followed(history)
        self._disk = Disk(database)
        self.writes = 0
        self.down = False
        self.full = False
        self.locks = 0
        self.calls_left: int | None = None
        self.fates: deque[str] = deque()
        self.take_fates: deque[str] = deque()
        self.late: Callable[[], object] | None = None
        self._beats: dict[str, deque[Instant]] = {}
        self._heard: dict[str, Instant] = {}
        self._backup: tuple[bytes, int] | None = None

    def beaten(self, beat: Beat) -> None:
        """A worker has said that it lives; one that has not heard the broker for long starts anew."""
        beats, now = self._beats.setdefault(beat.worker, deque(maxlen=WELL)), self.clock()
        if beat.leaving or beat.silence > BREATH or (beats and now - min(beats[-1], self._heard[beat.worker]) > BREATH):
            beats.clear()
        beats.append(now)
        self._heard[beat.worker] = now - beat.silence

    def departed(self, worker: str) -> None:
        """Whatever it still stands for, anybody may take."""
        self._beats.pop(worker, None)

    def out_of_breath(self) -> None:
        """Nobody can tell how old a heartbeat is: the clock was set."""
        self._beats.clear()

    def is_well(self, worker: str) -> bool:
        """Whether the worker has been heard without a pause, for longer than anybody's decision to replace it takes."""
        beats = self._beats.get(worker, deque())
        return len(beats) == WELL and self.clock() - min(beats[-1], self._heard[worker]) <= BREATH

    def is_up_to_date(self, worker: str) -> bool:
        """Whether the worker has looked around just now: one that was frozen goes on with what it knew before."""
        beats = self._beats.get(worker)
        return beats is not None and len(beats) > 0 and self.clock() - beats[-1] <= BREATH

    def reach(self, what: str) -> None:
        """Raise when the database is away, or when this is the call that fails."""
        if self.calls_left is not None:
            self.calls_left = self.calls_left - 1 if self.calls_left else None
            if self.calls_left is None:
                self.history.took_effect("failed call")
                text = f"{what}: the connection was reset"
                raise StoreUnavailable(text)
        if self.down:
            self.history.took_effect("store away")
            text = f"{what}: no connection to the store"
            raise StoreUnavailable(text)

    def write(self, what: str) -> None:
        """Raise when the disk is full, or somebody holds the lock for too long."""
        if self.full:
            self.history.took_effect("disk full")
            self.history.meet("a write found the disk full")
            text = f"{what}: the disk is full"
            raise StoreUnavailable(text)
        if self.locks:
            self.locks -= 1
            self.history.took_effect("locked store")
            text = f"{what}: another connection kept the database locked"
            raise StoreUnavailable(text)

    def clear(self) -> None:
        """Fair weather again."""
        self.down = self.full = False
        self.locks, self.calls_left = 0, None
        self.fates.clear()
        self.take_fates.clear()
        self.settle()

    def lose_power(self) -> None:
        """What is not on the disk is gone."""
        self.writes += 1
        self.late = None
        self._disk.lose_power()

    def back_up(self) -> None:
        """Keep a copy of all that is there."""
        self._backup = (self.database.image(), len(self.history.commits))

    def restore(self) -> None:
        """Put the copy in place of what is there; nobody may be using it."""
        if self._backup is None:
            return
        self.writes += 1
        self.late = None
        image, commits = self._backup
        self.database.restore(image)
        self.tails, self.requests = Tails(self.history), Followed(self.history)
        self.history.append(Restored(self.clock(), commits))

    def committed(self) -> None:
        """A transaction has ended well."""
        self._disk.committed()

    def settle(self) -> None:
        """Let the transaction under way end, as its locks ask of whoever comes next."""
        late, self.late = self.late, None
        if late is not None:
            late()
