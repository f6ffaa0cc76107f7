"""What the engine asks of a broker.

The bus is polled and never calls back. Every method says which thread may call it and how long it may block;
nothing here retries by itself. One contract suite (`tests/contract/bus`) runs on every adapter.

```
BusError ─┬─ Busy              the partition or producer name has a live holder; try again later
          ├─ BusUnavailable    no answer in time, or no connection; the outcome of what was asked is unknown
          ├─ TopicMissing      the topic, partition or subscription was never provisioned
          ├─ SchemaRefused     the broker holds another, incompatible schema for the topic
          ├─ Refused           the broker says no for good (size, permission, quota)
          └─ Closed            the consumer or producer was closed, here or by the broker
```
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol, TypeVar

import msgspec

from magnetar.runtime.instant import Instant

T_co = TypeVar("T_co", covariant=True)


class Position(NamedTuple):
    """Where a message stands in its partition; ascending in the order of delivery.

    `batch` is -1 for a message that was not published in a client-side batch (ours never are).
    """

    ledger: int
    entry: int
    batch: int = -1

    def __str__(self) -> str:
        """`ledger:entry:batch`, as stored and printed."""
        return f"{self.ledger}:{self.entry}:{self.batch}"

    @classmethod
    def parse(cls, text: str) -> Position:
        """The inverse of `str(position)`; `ValueError` for anything else."""
        ledger, entry, batch = text.split(":")
        return cls(int(ledger), int(entry), int(batch))


EARLIEST = Position(-1, -1)
"""Before every message: a subscription that is put back to it begins with the first one that is kept."""


class Delivery(msgspec.Struct, frozen=True, gc=False):
    """One message as the broker handed it over. `key` is the partition key; `published_at` is the publisher's clock."""

    topic: str
    partition: int
    position: Position
    key: str | None
    body: bytes
    properties: Mapping[str, str]
    published_at: Instant
    schema_version: int | None


class Outgoing(msgspec.Struct, frozen=True, gc=False):
    """One message to publish: body bytes as the topic's schema wants them, readable string properties."""

    key: str | None
    body: bytes
    properties: Mapping[str, str]


class Receipt(msgspec.Struct, frozen=True):  # seen by the collector: an error that was raised leads back here
    """What became of the send with this number.

    `error is None`: it is stored. `duplicate`: the broker had a number at least as high from this producer
    name and dropped it (R19: counted). Otherwise `error` says why, and whether it was stored is unknown.
    """

    number: int
    position: Position | None
    duplicate: bool
    error: BusError | None


class BusError(Exception):
    """The broker, or the way to it, failed; the message says what was asked of which topic and partition."""


class Busy(BusError):
    """Another live holder has this partition's subscription or this producer name.

    Try again: each try makes the broker probe the holder.
    """


class BusUnavailable(BusError):
    """No answer in time. What was asked may or may not have happened; read it back or ask again."""


class TopicMissing(BusError):
    """The topic, partition or subscription does not exist. Provision it: `magnetar topics apply`."""


class SchemaRefused(BusError):
    """The broker holds an incompatible schema for this topic, or refuses this one."""


class Refused(BusError):
    """The broker refused for good: too large, not permitted, over a quota. Sending it again cannot heal it."""


class Closed(BusError):
    """The consumer or producer is closed. Open a new one."""


class Opening(Protocol[T_co]):
    """Something being opened or asked, polled by the loop so that a slow broker never blocks it."""

    def poll(self) -> T_co | None:
        """The opened thing, or the answer; None while it is on its way. Never blocks.

        Raises the `BusError` it failed with, again at each call.
        """
        ...

    def abandon(self) -> None:
        """Close it as soon as it is there, in whatever thread that happens; an answer is dropped. Never blocks."""
        ...


class Consumer(Protocol):
    """The Exclusive subscription on one partition of one topic, starting at the earliest unacknowledged message."""

    def receive(self, limit: int, wait: float) -> list[Delivery]:
        """Up to `limit` messages in order; waits up to `wait` seconds for the first, not for others.

        Called by one thread (a receiver, or the loop with `wait=0`). Empty when nothing came, also when the
        connection is lost: ask `connected`. Raises `Closed` once closed.
        """
        ...

    def acknowledge(self, position: Position) -> None:
        """Acknowledge everything up to and including `position`. Never blocks; may be lost without a word (R10)."""
        ...

    def end(self) -> Position | None:
        """The position of the last message of the partition, asked of the broker; None when it holds none.

        Blocks up to the adapter's deadline, so never called by the loop of a real process. Raises `BusUnavailable`.
        """
        ...

    def newest(self) -> Position | None:
        """The last message of the partition, when this was first called or later (R11).

        So a stored position that is no less means that the store lacks nothing. `EARLIEST`: none is kept. None: not
        known yet, or not at all: it is asked once. Called by the loop; never blocks.
        """
        ...

    def cursor(self) -> Position | None:
        """The last message that was acknowledged when this was opened, as far as the broker still keeps it (R11).

        So a stored position below it means that the store lacks what was acknowledged, and `seek` brings it again.
        `EARLIEST`: nothing that is kept is acknowledged. None: not known yet. The first call begins to ask, and the
        adapter asks until it is told; what is acknowledged here before that counts. Called by the loop; never blocks.
        """
        ...

    def seek(self, position: Position) -> Opening[Consumer]:
        """Put the subscription back, so that the next delivery is the first one after `position` (R11), or `EARLIEST`.

        Called before anything is received here, or by the thread that receives; what was prefetched is dropped.
        `poll` gives the consumer to go on with. `Refused`, and nothing is changed, when the broker is known not to keep
        the ledger of `position` any more, which is when the cursor is: what came after it may be gone for good. With
        any other error, and when it is abandoned, where the subscription stands is unknown: close this consumer and
        subscribe anew. Never blocks.
        """
        ...

    def connected(self) -> bool:
        """Whether the client believes that it is connected (R32). Any thread; never blocks."""
        ...

    def leave(self) -> None:
        """Begin to close, so that several can be closed at a time: nothing more is asked. `close` waits for the end."""
        ...

    def close(self) -> None:
        """Give the subscription back. When it returns, this client object delivers nothing more (R13)."""
        ...


class Producer(Protocol):
    """A named producer on one partition of one topic; the broker drops numbers it has already seen from this name."""

    @property
    def last_number(self) -> int:
        """The highest number the broker has seen from this name when it was opened; 0 for a new name.

        A hint: never skip rows by it.
        """
        ...

    def send(self, number: int, message: Outgoing) -> None:
        """Start sending. Numbers start at 1 and ascend.

        Never blocks; raises `Refused` for a message over the size limit.
        """
        ...

    def receipts(self) -> list[Receipt]:
        """The receipts that came since the last call, in the order of sending. Never blocks."""
        ...

    def leave(self) -> None:
        """Begin to close, so that many can be closed at a time: nothing more is taken. `close` waits for the end."""
        ...

    def close(self) -> None:
        """Close; what is unanswered stays of unknown outcome. When it returns, nothing of it is sent later (R13)."""
        ...


class Bus(Protocol):
    """Connections to one broker cluster for one application. Topic names are short (`orders`, `orders-events`)."""

    def partitions(self, topic: str) -> int:
        """How many partitions the topic has. `TopicMissing`, `BusUnavailable`. May block: called at start only."""
        ...

    def subscribe(self, topic: str, partition: int, subscription: str) -> Opening[Consumer]:
        """Ask for the Exclusive subscription; `poll` raises `Busy` while somebody holds it."""
        ...

    def produce(self, topic: str, partition: int, name: str, schema: str | None) -> Opening[Producer]:
        """Open the producer `name` with the topic's Avro schema as JSON text (None: bytes)."""
        ...

    def ping(self, topic: str) -> Opening[float]:
        """Ask the cluster for something about a topic that the brokers themselves must answer, never a cache.

        It travels on the connections of the consumers. `poll` gives the seconds from the question to the first call
        that sees the answer: a broker was there that long ago, for certain (R13, R14), which may be more than the
        deadline in a process that was frozen. `BusUnavailable` when no broker has answered within the deadline (2 s),
        or none could; `TopicMissing`. It says nothing of the one broker that has a certain partition: another one may
        have answered (R32).
        """
        ...

    def renew(self) -> None:
        """Drop the connections and connect anew (R32), also with what settings have changed, such as a token.

        For when brokers have been silent for long: a connection that died unnoticed stays dead for a minute, a new
        one does not. Never waits for a broker: the old connections are closed in the background, and with them
        whatever is still open or on its way through this bus (`Closed`), but not before this returns; so release
        first (R13). Raises `BusError`, and keeps what there is, when nothing new can be made; `Closed` when the bus is.
        """
        ...

    def schema(self, topic: str, version: int) -> str | None:
        """The Avro schema with which a message was written; None when the broker says it has none.

        Blocks ≤ 2 s; `BusUnavailable`.
        """
        ...

    def close(self) -> None:
        """Close everything opened through this bus. Called once, last."""
        ...
