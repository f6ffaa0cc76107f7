"""What can go wrong between a worker and the broker, driven by the test or the simulator.

Nothing here is random and nothing happens by itself: a fault is armed or done by a call, and the same calls in the
same order give the same run. Each is one that a real broker or its client shows (Pulsar 4.0.8, pulsar-client 3.13).

Of one process (methods of its `MemoryBus`)
-------------------------------------------

`disconnect()`: kill -9.
    Its consumers and producers are gone at once; the next subscriber gets everything unacknowledged, in order.

`freeze()`, `thaw()`: SIGSTOP, a long pause of the machine.
    It keeps all it holds until another one asks: then the broker replaces it. Thawed, it hands out what it had
    prefetched (up to the receiver queue), its acks vanish, its sends end in `BusUnavailable`, `connected()` is false,
    and `receive` never raises. If nobody asked, it goes on as if nothing had been. If whoever replaced it has left,
    its client takes the place again, and what is unacknowledged comes again. The simulator must not step a frozen
    process: the bus cannot know who is calling.

`cut()`, `heal()`: a broken network.
    Nothing new comes, acks vanish, sends and openings end in `BusUnavailable`, `connected()` is false; another one
    that asks replaces it. Healed, what was not taken away goes on, and what is unacknowledged comes again; what was
    taken away stays silent for good.

At the broker (methods of `Faults`)
-----------------------------------

`lose_acks`: an ack that never arrived.
    The cursor stays where it was.

`lose_sends`: a message that never arrived.
    Not stored; it and all sent after it, until the receipts are fetched, end in `BusUnavailable`.

`lose_receipts`: an answer that never arrived.
    Stored, and so is all that follows; the receipts are the same as above.

`refuse_sends`: a quota.
    As `lose_sends`, with `Refused`.

`hold_sends`, `release_sends`: a slow broker.
    Sends stay on their way, in order, with neither effect nor receipt; closing or killing the producer drops them.

`hold_openings`, `release_openings`: a slow broker.
    `poll` returns None; after the release the broker is asked when it is polled.

`hold_cursors`, `release_cursors`: a broker that answers no questions.
    How far a subscription is acknowledged, and which message is the last, stays unknown; all else goes on.

`unload`: the partition moves to another broker, or the broker restarts.
    Everybody on it reconnects: unacknowledged messages come again to the same consumer objects, sends go on, a new
    ledger begins. `forget_acks`: so many of the last acks had not been persisted.

`drop`, `reconnect`: the same, and it takes a while.
    Between the two nobody holds anything, sends wait, and whoever asks gets the place: a healthy owner may lose it.

`rewind`: an operator's seek, a restored broker.
    The subscription begins again at a position, acknowledged or not.

Not modelled: messages out of order, loss of what was stored, a broker that forgets a producer's numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from magnetar.runtime.bus.memory.broker import Broker
    from magnetar.runtime.bus.memory.partition import Partition
    from magnetar.runtime.bus.port import Position


@dataclass(slots=True)
class Trouble:
    """What the next sends to one partition meet."""

    lose_sends: int = 0
    lose_receipts: int = 0
    refuse_sends: int = 0
    hold_sends: bool = False


@dataclass(slots=True)
class Answers:
    """Whether the broker is slow to answer those who open something, or ask how far something is acknowledged.

    `in_vain`: how often somebody looked for an answer that was held back.
    """

    held: bool = False
    cursors_held: bool = False
    in_vain: int = 0


class Faults:
    """Does to a broker what the page above says."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def lose_acks(self, topic: str, partition: int, subscription: str, count: int = 1) -> None:
        """Lose the next `count` acks of the subscription."""
        with self._broker.lock:
            self._broker.partition(topic, partition).subscription(subscription).lose_acks = count

    def lose_sends(self, topic: str, partition: int, count: int = 1) -> None:
        """Lose the next message, `count` times."""
        with self._broker.lock:
            self._trouble(topic, partition).lose_sends = count

    def lose_receipts(self, topic: str, partition: int, count: int = 1) -> None:
        """Store the next message and lose the receipt, `count` times."""
        with self._broker.lock:
            self._trouble(topic, partition).lose_receipts = count

    def refuse_sends(self, topic: str, partition: int, count: int = 1) -> None:
        """Refuse the next message for good, `count` times."""
        with self._broker.lock:
            self._trouble(topic, partition).refuse_sends = count

    def hold_sends(self, topic: str, partition: int) -> None:
        """Keep every message to the partition on its way until `release_sends`."""
        with self._broker.lock:
            self._trouble(topic, partition).hold_sends = True

    def release_sends(self, topic: str, partition: int) -> None:
        """Let them arrive, each producer's in order."""
        with self._broker.lock:
            self._trouble(topic, partition).hold_sends = False
            for name in self._broker.partition(topic, partition).names.values():
                if name.holder is not None:
                    name.holder.rejoined()

    def hold_openings(self) -> None:
        """Answer nobody who opens a consumer or a producer until `release_openings`."""
        self._broker.answers.held = True

    def release_openings(self) -> None:
        """Answer them, each when it is polled."""
        self._broker.answers.held = False

    def hold_cursors(self) -> None:
        """Tell nobody how far a subscription is acknowledged, or a partition goes, until `release_cursors`."""
        self._broker.answers.cursors_held = True

    def release_cursors(self) -> None:
        """Tell them when they look again."""
        self._broker.answers.cursors_held = False

    def unload(self, topic: str, partition: int, forget_acks: int = 0) -> None:
        """Move the partition; everybody who holds something there is back before anybody else asks."""
        with self._broker.lock:
            self.drop(topic, partition, forget_acks)
            self.reconnect(topic, partition)

    def drop(self, topic: str, partition: int, forget_acks: int = 0) -> None:
        """Move the partition; nobody holds anything there until `reconnect`, or until somebody asks."""
        with self._broker.lock:
            found = self._broker.partition(topic, partition)
            for subscription in found.subscriptions.values():
                subscription.forget(forget_acks)
            _drop_all(found)
            found.log.roll()

    def reconnect(self, topic: str, partition: int) -> None:
        """Let those who were dropped come back, where nobody else has taken their place."""
        with self._broker.lock:
            found = self._broker.partition(topic, partition)
            dropped, found.dropped = found.dropped, []
            for member in dropped:
                member.resume()

    def rewind(self, topic: str, partition: int, subscription: str, to: Position | None = None) -> None:
        """Begin again at the message with this position (None: the earliest), acknowledged or not."""
        with self._broker.lock:
            found = self._broker.partition(topic, partition)
            seat = found.subscription(subscription)
            seat.rewind(found.index(to))
            holder = seat.vacate()
            if holder is not None:
                holder.resume()

    def _trouble(self, topic: str, partition: int) -> Trouble:
        return self._broker.partition(topic, partition).trouble


def _drop_all(partition: Partition) -> None:
    for seat in (*partition.subscriptions.values(), *partition.names.values()):
        holder = seat.vacate()
        if holder is not None:
            partition.dropped.append(holder)
