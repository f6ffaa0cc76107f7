"""What leaves a group by the lane: numbers are given out here (R18), and what no broker would take is refused (R9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from magnetar.runtime.errors import MisuseError
from magnetar.runtime.store.port import OutboxRow

if TYPE_CHECKING:
    from magnetar.runtime.store.port import ShardChanges

MESSAGE_LIMIT = 5 * 1024 * 1024 - 64 * 1024
"""Body and properties of one message in bytes: Pulsar's 5 MiB less room for its own metadata."""

_to_json = msgspec.json.Encoder().encode


class Posting:
    """The lane's rows of one shard's part of a group. Nothing in memory changes (R7)."""

    def __init__(self, changes: ShardChanges) -> None:
        """Goes on from the shard's lane counter."""
        self._changes = changes

    def post(self, topic: str, partition: int, key: str, body: bytes, properties: dict[str, str]) -> None:
        """Append to the lane. `MisuseError` for what is larger than a broker takes."""
        text = _to_json(properties).decode()
        if len(body) + len(text) > MESSAGE_LIMIT:
            message = (
                f"a message to {topic!r} for key {key!r} has {len(body)} bytes of body and "
                f"{len(text)} of properties; at most {MESSAGE_LIMIT} fit"
            )
            raise MisuseError(message)
        changes = self._changes
        changes.lane += 1
        changes.outbox.append(OutboxRow(changes.shard, changes.lane, topic, partition, key, body, text))

    def take_back(self, to: int) -> None:
        """Forget what was posted after the lane counter stood at `to`: its message has failed."""
        changes = self._changes
        if changes.lane > to:
            del changes.outbox[to - changes.lane :]
            changes.lane = to
