"""Commits groups to the store named on the command line until it is killed; prints each commit once it returned."""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path

from magnetar.runtime.store.sqlite import SqliteFile
from tests.contract.store.harness import ACTOR, PARTITIONS, SHARD, Owner
from tests.contract.store.rows import journal_row, outbox_row, state_write


def main(path: Path) -> None:
    """Each commit: ten messages, each a new key."""
    store = SqliteFile(path).open()
    store.prepare({ACTOR: PARTITIONS}, [])
    owner = Owner(store, SHARD)
    for number in count(owner.owned[SHARD].commits):
        changes = owner.changes()
        for each in range(number * 10, number * 10 + 10):
            changes.journal.append(journal_row(each, f"o-{each}"))
            changes.states.append(state_write(f"o-{each}"))
            changes.lane += 1
            changes.outbox.append(outbox_row(changes.lane))
        owner.commit(changes)
        print(number + 1, flush=True)  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]))
