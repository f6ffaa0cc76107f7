"""What a shard's owner has in hand, what it found in the last one's, and for how long it must be careful (R25).

Data only, as it is committed. A group that was in hand when its worker ended held so many arrivals at most, and of each
source the first ones that were not done with: when so many of each are behind, or all that was there at the takeover
is, what the last owner ended of is behind, too.

One that is lost is no proof that a message has ended it: mostly its machine is gone. So its successor has few of the
shard in a group, which costs next to nothing. Only if that one is lost as well, what those few may be goes one by one.
Each feed has its own few: where they are behind, what comes next of that feed goes in groups again, few at a time, for
the next owner would look for its cause among the first few of each feed anew.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from magnetar.runtime.store.care import Caution

if TYPE_CHECKING:
    from collections.abc import Iterable

    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.care import Care, Hand
    from magnetar.runtime.store.parking import ParkedKey
    from magnetar.runtime.store.port import ShardRow
    from magnetar.runtime.worker.batch import Limits


@dataclass(slots=True)
class Careful:
    """How much is still to go with care. `since`: when the shard was taken, by the store's clock.

    `left`: deliveries that nobody knows, by feed. `keys`: those that were due then, and from which place on what waits
    for them cannot have been in hand. `then` is what follows it: None where few go together, for then nothing does.
    `look_at` is when to see next whether it is over.
    """

    since: Instant
    left: dict[str, int]
    keys: dict[str, int]
    then: Careful | None = None
    look_at: Instant = 0

    def owes(self, feed: str) -> bool:
        """Whether some of what the last owner may have had in hand of this feed is still to come."""
        return self.left[feed] > 0

    def settle(self, feed: str) -> None:
        """Nothing of it is left: neither of what the last owner had, nor of what those before it had."""
        self.left[feed] = 0
        if self.then is not None:
            self.then.settle(feed)


@dataclass(slots=True)
class Custody:
    """`found`: in hand when the shard was taken, and not charged yet. `charged`: those that were, with their crashes.

    A message stays charged until it has come again, and what its crash brings is committed: that may take longer than
    care does, where it waits for its time, or a person has asked for it. `careful` is None where
    nobody has to be: then only what has crashed goes alone, and what may have.

    `suspects`: requests that go alone, since their letter has crashed, or since they may have been in hand when the
    last owner was lost: those that the first look finds. `unlooked`: there was none yet.
    """

    careful: Careful | None = None
    in_hand: Hand | None = None
    found: list[Hand] = field(default_factory=list)
    charged: dict[bytes, Hand] = field(default_factory=dict)
    suspects: set[bytes] = field(default_factory=set)
    unlooked: bool = False

    @property
    def alone(self) -> bool:
        """Whether what comes goes alone, unless it is of a feed that owes nothing more."""
        return self.careful is not None and self.careful.then is not None

    def load(
        self, row: ShardRow, feeds: Iterable[str], keys: Iterable[ParkedKey], since: Instant, limits: Limits
    ) -> None:
        """What the store says on taking the shard; `limits` of a group tell how much the last one may have held."""
        self.found = [hand for hand in row.hands if hand.holder]
        self.charged = {hand.message_id: hand for hand in row.hands if hand.crashes}
        self.unlooked = row.careful > Caution.NONE
        due = {key.key: key.first for key in keys if key.due is not None and key.due <= since}

        def first(group: int, tail: int, then: Careful | None = None) -> Careful:
            return Careful(since, dict.fromkeys(feeds, group), {key: at + tail for key, at in due.items()}, then)

        if row.careful:
            self.careful = first(limits.group, limits.tail)
        if row.careful == Caution.ALONE:
            self.careful = first(limits.few, limits.few, self.careful)

    def follow(self, care: Care) -> None:
        """What a committed group has made of it."""
        for message_id in care.done:
            self.charged.pop(message_id, None)
            self._lay_aside(message_id)
        for hand in care.held:
            self._lay_aside(hand.message_id)
            if hand.holder:
                self.in_hand = hand
            else:
                self.charged[hand.message_id] = hand
        if care.eased and self.careful is not None:
            self.careful = self.careful.then

    def _lay_aside(self, message_id: bytes) -> None:
        self.found = [hand for hand in self.found if hand.message_id != message_id]
        if self.in_hand is not None and self.in_hand.message_id == message_id:
            self.in_hand = None
