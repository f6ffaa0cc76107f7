"""The shards that this worker owns: what the machines share. Data with its few moves; no port is called here."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.port import ShardName, Taker
    from magnetar.runtime.worker.breaker import LeftAlone
    from magnetar.runtime.worker.observer import Loss, Observer
    from magnetar.runtime.worker.shard import Shard


class Holdings:
    """Owned shards by name, and those just lost, whose producers and consumers are still to be closed (R13).

    `clock_offset` is the store's clock minus this process's, in microseconds (R5). `groups`: how many it committed.
    `went_back`: shards whose store proved older than what the broker has seen; who takes them begins anew (R11).
    `left_alone`: dependencies whose breaker is not closed, by this process's clock.

    `had`: the last epoch with which this process took or lost a shard. If it takes it with that one again, nobody had
    it meanwhile, and its last owner lives (R25).

    `alone`: something is handled alone, or waits for that, and no call at an effect may begin; `calls`: so many are
    under way, and nothing is handled alone meanwhile. So whatever ends the process, it is known what that was (R25).
    """

    def __init__(self, taker: Taker, life: str, observer: Observer) -> None:
        """`taker` is this worker as the store's rows name it; `life`, this life of it: see `Hand.holder`."""
        self.taker = taker
        self.life = life
        self.clock_offset: Instant = 0
        self.groups = 0
        self.alone = False
        self.calls = 0
        self.went_back: set[ShardName] = set()
        self.had: dict[ShardName, int] = {}
        self.left_alone: dict[str, LeftAlone] = {}
        self.lost: list[Shard] = []
        self._observer = observer
        self._owned: dict[ShardName, Shard] = {}
        self._shards: list[Shard] = []

    def learn_clock(self, low: Instant, high: Instant) -> None:
        """The offset is somewhere between the two. Known better already, it stays; else the lower one is taken.

        So no timer fires early, and an answer for which the process slept or the store was slow changes nothing.
        """
        if not low <= self.clock_offset <= high:
            self.clock_offset = low

    def shards(self) -> list[Shard]:
        """The owned shards: as they are now, whatever is won and lost while somebody goes through them.

        Every step of every machine asks, so it is made anew only when it changes.
        """
        return self._shards

    def find(self, name: ShardName) -> Shard | None:
        """An owned shard by name."""
        return self._owned.get(name)

    def holds(self, shard: Shard) -> bool:
        """Whether it is owned still: this very one, not the same shard lost and won again."""
        return self._owned.get(shard.name) is shard

    def add(self, shard: Shard) -> None:
        """The shard has been won."""
        self._owned[shard.name] = shard
        self._shards = list(self._owned.values())
        self._observer.owned(shard.name, shard.epoch)

    def lose(self, shard: Shard, why: str, loss: Loss) -> None:
        """Forget the shard and everything queued for it; idempotent. Relay and ownership close what is open."""
        if not self.holds(shard):
            return
        del self._owned[shard.name]
        self._shards = list(self._owned.values())
        self.had[shard.name] = shard.epoch
        shard.stopping = True
        shard.stopped.set()
        shard.refuse_mail()
        self.lost.append(shard)
        self._observer.lost(shard.name, why, loss)
