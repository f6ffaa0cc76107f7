"""Who else lives, and who should have what (R13, R14). Hints only: broker and fence decide.

Ages are differences within one roster, all by the store's clock: no process's own clock is compared with another's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from magnetar.runtime.instant import Instant, micros
from magnetar.runtime.store.roster import Beat, Roster
from magnetar.runtime.worker.assignment import assign, in_order
from magnetar.runtime.worker.breaker import written

if TYPE_CHECKING:
    from collections.abc import Iterable

    from magnetar.runtime.store.port import ShardName
    from magnetar.runtime.store.roster import Member, Standing
    from magnetar.runtime.worker.machine import Means


@dataclass(frozen=True, slots=True)
class Liveness:
    """In seconds. `live`: how old a heartbeat or a broker round trip may be; 0: nobody but oneself is there.

    `substitute`: a shard that is nobody's for so long may be tried for by the next in order, then by one more, …
    """

    live: float = 3.0
    substitute: float = 5.0

    def is_live(self, member: Member, now: Instant) -> bool:
        """Whether store and broker have both heard of it lately. All instants are by the store's clock.

        A date in the future is no better than one long ago: the clock was put back, and the next beat will tell.
        """
        return self.is_seen(member, now) and abs(now - member.heard) < micros(self.live)

    def is_seen(self, member: Member, now: Instant) -> bool:
        """Whether the store has heard of it lately."""
        return abs(now - member.seen) < micros(self.live)


ALONE = Liveness(live=0.0)
"""For a store that one process uses: whoever had a shard before is gone."""


@dataclass(frozen=True, slots=True)
class Presence:
    """What a worker is: the version of its code, and the actors that it serves."""

    code: str
    actors: frozenset[str]


class Membership:
    """This worker among others, as of its last beat. One thread."""

    def __init__(self, means: Means, presence: Presence, liveness: Liveness) -> None:
        """Nobody is known yet, oneself neither."""
        self._store = means.store
        self._holdings = means.holdings
        self._presence = presence
        self._liveness = liveness
        self._substitute = micros(liveness.substitute)
        self.roster = Roster(0, (), {})
        self._alive: dict[str, Member] = {}
        self._was_live = True
        self._back_at: Instant | None = None
        self._shared: object = None
        self._wanted: dict[ShardName, str] = {}
        self._wins = False

    def beat(self, silence: Instant, *, leaving: bool) -> None:
        """Say that this worker lives, and learn of the others. Raises what the store raises."""
        taker, presence = self._holdings.taker, self._presence
        actors = ",".join(sorted(presence.actors))
        offset = self._holdings.clock_offset
        alone = written({name: each.later(offset) for name, each in self._holdings.left_alone.items()})
        said = Beat(taker.owner, presence.code, taker.contracts, actors, silence, self._holdings.groups, leaving, alone)
        self.roster = self._store.beat(said)
        self._note_return()
        self._alive = {member.worker: member for member in self.roster.members if self._is_alive(member)}
        able = [(each.worker, each.actors, each.contracts, each.leaving) for each in self._alive.values()]
        if self._shared != (able, self.roster.shards):  # mostly it is: nobody came or went, and nothing changed hands
            self._shared, self._wanted = (able, self.roster.shards), self._shared_out()
            self._wins = any(each == taker.owner and self._is_to_be_won(shard) for shard, each in self._wanted.items())

    def _note_return(self) -> None:
        """Whether the broker was silent and is not any more: then others are about to hear it again, too."""
        me = next(each for each in self.roster.members if each.worker == self._holdings.taker.owner)
        is_live = self._liveness.is_live(me, self.roster.now)
        if is_live and not self._was_live:
            self._back_at = self.roster.now
        self._was_live = is_live

    def _is_to_be_won(self, shard: ShardName) -> bool:
        standing = self.roster.shards[shard]
        return standing.owner != self._holdings.taker.owner and self.is_free(standing)

    def depart(self) -> None:
        """Be forgotten: everything is released. Raises what the store raises."""
        self._store.depart(self._holdings.taker.owner)

    @property
    def company(self) -> frozenset[str]:
        """Who may own anything as of the last beat, by name."""
        return frozenset(name for name, member in self._alive.items() if not member.leaving)

    @property
    def others(self) -> bool:
        """Whether anybody else is there who may take what this worker lets go."""
        return bool(self.company - {self._holdings.taker.owner})

    @property
    def excluded(self) -> str:
        """Why this worker may own nothing now; empty when it may."""
        me = self._holdings.taker
        if me.owner not in self._alive:
            return "no answer from the broker: others may take its shards"
        newer = max((standing.contracts for standing in self.roster.shards.values()), default=0)
        if newer > me.contracts:
            return f"shards were written with contracts {newer}, this code has {me.contracts}: run the newer release"
        return ""

    def is_free(self, standing: Standing) -> bool:
        """Whether a shard may be tried for: nobody's, one's own, or of an owner that is not live."""
        return standing.owner in {"", self._holdings.taker.owner} or standing.owner not in self._alive

    def wants(self, shard: ShardName) -> bool:
        """Whether this worker should have the shard, or may try for it because those before it did not.

        Who has yet to win what it should have itself comes after all who have not: after an outage of the broker
        everybody would try for everything else, just when the broker has most to do (ADR 27).
        """
        me, wanted = self._holdings.taker.owner, self._wanted.get(shard)
        if wanted in {None, me}:
            return wanted == me
        able = [member.worker for member in self._able(shard)]
        if me not in able or not self.is_free(self.roster.shards[shard]):
            return False
        turn = [each for each in in_order(shard, able) if each != wanted].index(me) + 1
        turn += len(able) if self._wins else 0
        return self._substitute > 0 and self._orphaned(shard) >= turn * self._substitute

    def goes(self, shard: ShardName) -> bool:
        """Whether another live worker should have it."""
        return self._wanted.get(shard, self._holdings.taker.owner) != self._holdings.taker.owner

    def held_for(self, shard: ShardName) -> Instant:
        """How long its owner has had it."""
        return self.roster.now - self.roster.shards[shard].since

    def why(self, standing: Standing) -> str:
        """What to say of taking a shard with this standing."""
        if standing.owner == self._holdings.taker.owner:
            return "had lost it"
        if standing.owner:
            return f"{standing.owner} was gone"
        return "was released" if standing.epoch else "was never owned"

    def _is_alive(self, member: Member) -> bool:
        """Live; or heard by the store alone, while this worker itself has only just heard the broker again.

        Who is back first would take everything, and give it back as soon as the next one has heard it, too (ADR 27).
        """
        now = self.roster.now
        if member.worker == self._holdings.taker.owner:
            return not self._liveness.live or self._liveness.is_live(member, now)
        is_back = self._back_at is not None and abs(now - self._back_at) < micros(self._liveness.live)
        return self._liveness.is_live(member, now) or (is_back and self._liveness.is_seen(member, now))

    def _able(self, shard: ShardName) -> Iterable[Member]:
        """Who of the live may own it: serves its actor, in no older generation of its contracts (R16)."""
        actor, _, _ = shard.rpartition("/")
        needed = self.roster.shards[shard].contracts
        for member in self._alive.values():
            if not member.leaving and member.contracts >= needed and member.serves(actor):
                yield member

    def _shared_out(self) -> dict[ShardName, str]:
        """Over those who may own it, each shard; all that may be owned by the same workers are balanced as one."""
        alike: dict[frozenset[str], dict[ShardName, str]] = {}
        for shard, standing in self.roster.shards.items():
            able = frozenset(member.worker for member in self._able(shard))
            alike.setdefault(able, {})[shard] = standing.owner
        return {shard: worker for able, owners in alike.items() for shard, worker in assign(owners, able).items()}

    def _orphaned(self, shard: ShardName) -> Instant:
        """For how long the shard has been nobody's, while this worker heard the broker."""
        standing = self.roster.shards[shard]
        since = max(standing.since, self._back_at or 0)
        for member in self.roster.members:
            if member.worker == standing.owner:
                since = max(since, min(member.seen, member.heard) + micros(self._liveness.live))
        return self.roster.now - since
