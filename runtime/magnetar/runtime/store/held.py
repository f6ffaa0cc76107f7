"""All that a store holds and that some code must read one day: part of the store port, for tools that judge a release.

Any store whose layout is not beyond this code can be asked, also one that lacks migrations: what is not there yet, it
does not hold. Reading only.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from magnetar.runtime.store.port import ShardName


class What(StrEnum):
    """Kinds of things held."""

    STATES = "states"
    TIMERS = "timers"
    PARKED = "parked"
    LETTERS = "letters"
    OUTBOX = "outbox"
    EFFECTS = "effects"


class HeldRow(NamedTuple):
    """One of them. What its kind does not have is empty.

    `id` is the message's, 16 bytes. `name` is a timer's name, an outbox row's number, an effect's dependency. `source`
    is as in `JournalRow`, of the outbox the topic. `schema` is the writer's fingerprint; of the outbox it is, like the
    type, in `properties`, a JSON object of strings.
    """

    actor: str
    key: str
    shard: ShardName
    id: bytes
    name: str
    type: str
    schema: str
    body: bytes
    source: str
    properties: str


TABLES: Mapping[What, str] = {
    What.STATES: "states",
    What.TIMERS: "timers",
    What.PARKED: "parked",
    What.LETTERS: "dead_letters",
    What.OUTBOX: "outbox",
    What.EFFECTS: "effects",
}
"""Where each kind is."""


class Held(Protocol):
    """Read-only, on a connection of its own. Every call may raise `StoreError`; one thread."""

    def rows(self, what: What) -> Iterator[HeldRow]:
        """All of a kind, in no order, read as they are wanted; of dead letters those that are dead still."""
        ...

    def schemas(self) -> Mapping[str, str]:
        """All schema texts kept, by fingerprint."""
        ...

    def generations(self) -> Mapping[ShardName, int]:
        """Of each shard the highest generation of code that has owned it (R16)."""
        ...

    def close(self) -> None:
        """Close the connection. Closing twice is harmless."""
        ...
