"""What Pulsar's REST API answers, as far as it is read: the shapes of its JSON, under its own names."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import msgspec


class Identity(NamedTuple):
    """A broker's version, and its clock at the moment of an answer: cut to whole seconds."""

    version: str
    clock: datetime


class Backlog(msgspec.Struct, frozen=True):
    """What a subscription has not acknowledged of one partition. `earliest`: when its first was published, ms UTC."""

    messages: int = msgspec.field(name="msgBacklog", default=0)
    earliest: int = msgspec.field(name="earliestMsgPublishTimeInBacklog", default=0)


class Subscribed(msgspec.Struct):
    """One partition's share of `Stats`."""

    subscriptions: dict[str, Backlog] = {}


class Partitions(msgspec.Struct):
    """`GET …/partitions`: 0 for a topic without."""

    partitions: int


class Stats(msgspec.Struct):
    """`GET …/partitioned-stats`: by full name of a partition's topic, of those whose broker answered in time.

    Who asks is told neither that one is left out nor why; where none answered, the topic itself stands for all.
    """

    metadata: Partitions
    partitions: dict[str, Subscribed] = {}


class Numbered(msgspec.Struct):
    """A version of a schema."""

    version: int


class Added(msgspec.Struct):
    """`POST …/schema`: the version that it is, new or old."""

    version: Numbered


class Verdict(NamedTuple):
    """What a topic thinks of a schema: `reason` says why it would refuse it, None that it would take it.

    `strategy` is the one by which it was judged; None where the broker does not tell.
    """

    strategy: str | None
    reason: str | None


class Stored(msgspec.Struct, frozen=True):
    """A schema that a topic has; `type` is `AVRO`, `JSON`, and so on."""

    version: int
    type: str
    text: str = msgspec.field(name="data", default="")


class AllStored(msgspec.Struct):
    """`GET …/schemas`: all of them, the oldest first; none for a topic that is not there."""

    schemas: list[Stored] = msgspec.field(name="getSchemaResponses")


class Compatibility(msgspec.Struct):
    """`POST …/compatibility`. Jackson may call the flag either way."""

    strategy: str | None = msgspec.field(name="schemaCompatibilityStrategy", default=None)
    compatibility: bool | None = None
    is_compatibility: bool | None = msgspec.field(name="isCompatibility", default=None)


class LedgerSize(msgspec.Struct):
    """One of the ledgers of a partition."""

    number: int = msgspec.field(name="ledgerId")
    entries: int


class Cursor(msgspec.Struct):
    """Where a subscription stands: `ledger:entry` of the last that is acknowledged with all before it."""

    mark_delete: str = msgspec.field(name="markDeletePosition")


class Insides(msgspec.Struct):
    """`GET …/internalStats` of a partition."""

    ledgers: list[LedgerSize]
    cursors: dict[str, Cursor]


class Bookies(msgspec.Struct):
    """`GET bookies/all`."""

    bookies: list[object]


class Excuse(msgspec.Struct):
    """What an error says in its JSON."""

    reason: str = ""
