"""What a group takes in hand, lays aside and charges, written (R24, R25)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.runtime.store.sqlite.writing import add, run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from magnetar.runtime.store.care import Care
    from magnetar.runtime.store.port import ShardName
    from magnetar.runtime.store.sqlite.connection import Connection


def write_care(connection: Connection, cares: Sequence[tuple[ShardName, Care]]) -> None:
    """All of it, what goes before what comes. `RowConflict`."""
    run(connection, "drop_hand", [(shard, message_id) for shard, care in cares for message_id in care.done])
    run(connection, "hold", [hand for _, care in cares for hand in care.held])
    add(connection, "add_crash", "crashes", [row for _, care in cares for row in care.crashes])
    run(connection, "ease", [(shard,) for shard, care in cares if care.eased])
