"""Names of keys, and which shard is a key's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from magnetar.runtime.errors import MisuseError
from magnetar.runtime.routing import partition_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from magnetar.runtime.store.port import ShardRow


@dataclass(frozen=True, slots=True)
class KeyName:
    """Which key of which actor: `orders/o-1`. A key may hold slashes, an actor's name cannot."""

    actor: str
    key: str

    @classmethod
    def parse(cls, text: str) -> KeyName:
        """The inverse of `str(name)`; `MisuseError` for other text."""
        actor, slash, key = text.partition("/")
        if not (actor and slash and key):
            message = f"{text!r} names no key: write the actor, a slash and the key, such as orders/o-1"
            raise MisuseError(message)
        return cls(actor, key)

    def __str__(self) -> str:
        """`actor/key`."""
        return f"{self.actor}/{self.key}"


def shards_of_actor(rows: Sequence[ShardRow], actor: str) -> list[ShardRow]:
    """All shards of an actor. Raises `MisuseError` for one that the store does not know."""
    shards: dict[str, list[ShardRow]] = {}
    for row in rows:
        shards.setdefault(row.shard.rpartition("/")[0], []).append(row)
    own = shards.get(actor)
    if own is None:
        known = ", ".join(sorted(shards)) or "none at all; no worker has run on it yet"
        message = f"this store knows no actor {actor!r}; it knows {known}"
        raise MisuseError(message)
    return own


def shard_of_key(rows: Sequence[ShardRow], name: KeyName) -> ShardRow:
    """The key's shard. Raises as `shards_of_actor` does."""
    own = shards_of_actor(rows, name.actor)
    wanted = f"{name.actor}/{partition_of(name.key, len(own))}"
    return next(row for row in own if row.shard == wanted)
