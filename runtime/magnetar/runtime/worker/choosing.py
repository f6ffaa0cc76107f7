"""Which group comes next: from which shard on, of what size, and chosen ahead where somebody must be careful (R25)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from magnetar.runtime.store.port import StoreUnavailable

if TYPE_CHECKING:
    from magnetar.runtime.instant import Instant
    from magnetar.runtime.worker.batch import Batch, Group
    from magnetar.runtime.worker.care import Care
    from magnetar.runtime.worker.holdings import Holdings
    from magnetar.runtime.worker.shard import Shard

_log = logging.getLogger("magnetar.worker")


class Choice:
    """What the turn takes. `following`: chosen already, while the group before it is handled; taken from its shards.

    `one_by_one`: so many groups hold one arrival each, after the store has refused as large a one (R9). Calls of one
    thread.
    """

    def __init__(self, holdings: Holdings, care: Care, room: int) -> None:
        """`room`: arrivals in a group."""
        self._holdings = holdings
        self._care = care
        self._room = room
        self._start = 0
        self.following: Group | None = None
        self.one_by_one = 0

    def take(self, shards: list[Shard], now: Instant) -> Group | None:
        """What was chosen before, unless a shard of it was lost meanwhile. Raises `StoreUnavailable`."""
        self.drop_lost()
        for batch in self._batches():
            batch.drop_closed()
        group, self.following = self.following or self._choose(shards, now), None
        return group

    def foresee(self, before: Group, now: Instant) -> None:
        """What comes next is in hand by the commit of what comes before it.

        Not behind a request: it may be that nothing comes next.
        """
        if self.following is None and all(batch.request is None for batch in before.batches):
            try:
                self.following = self._choose([each for each in self._holdings.shards() if not each.stopping], now)
            except StoreUnavailable as error:
                _log.debug("what comes next is chosen when this group is committed: %s", error)
            for batch in before.batches:  # its shard may have given something back
                batch.shard.in_turn = True

    def hold(self) -> None:
        """The shards of what follows still wait for it."""
        for batch in self._batches():
            batch.shard.in_turn = True

    def give_back(self) -> None:
        """What follows goes back where it was: what was taken last goes back first."""
        batches, self.following = self._batches(), None
        for batch in batches:
            batch.give_back()

    def drop_lost(self) -> None:
        """Nothing follows of a shard that was lost: not where it was won again either, for then another had it (R24).

        What was named before would be in hand instead of what is found there, and that would be charged to nobody.
        """
        if any(not self._holdings.holds(batch.shard) for batch in self._batches()):
            self.give_back()

    def lose(self, shard: Shard) -> None:
        """Nothing of the shard follows."""
        if any(batch.shard is shard for batch in self._batches()):
            self.give_back()

    def _batches(self) -> list[Batch]:
        return [] if self.following is None else self.following.batches

    def _choose(self, shards: list[Shard], now: Instant) -> Group | None:
        """From another shard on each time (R21), not counting what goes alone in between, which has its own turns."""
        start = (self._start + 1) % max(1, len(shards))
        room = 1 if self.one_by_one else self._room
        group = self._care.choose(shards[start:] + shards[:start], room, now)
        if group is None or group.hand is None:
            self._start = start
        return group
