"""The verbs in which the contract of parking is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.runtime.store.port import Disposition
from tests.contract.store.harness import ACTOR, SHARD
from tests.contract.store.rows import failure_row, journal_row, parked_key, parked_row

if TYPE_CHECKING:
    from magnetar.runtime.store.parking import DeadLetter
    from magnetar.runtime.store.port import JournalRow
    from tests.contract.store.harness import Owner


def parked_journal(number: int, key: str = "o-1", shard: str = SHARD, actor: str = ACTOR) -> JournalRow:
    """A message that waits, as the journal knows it."""
    row = journal_row(number, key, 0, shard, actor)
    return row._replace(disposition=Disposition.PARKED.value, state_hash=b"", sent="[]")


def dead_journal(number: int, key: str = "o-1", shard: str = SHARD) -> JournalRow:
    """A message that died, as the journal knows it."""
    return parked_journal(number, key, shard)._replace(disposition=Disposition.DEAD.value)


def park(owner: Owner, *ordinals: int, key: str = "o-1", shard: str = SHARD) -> None:
    """A commit that parks the messages with those numbers on the key, behind one another."""
    changes = owner.changes(shard)
    changes.journal += [parked_journal(ordinal, key, shard) for ordinal in ordinals]
    parking = changes.to_park()
    parking.parked += [parked_row(ordinal, key, shard=shard) for ordinal in ordinals]
    parking.parked_keys.append(parked_key(key, ordinals[0], ordinals[-1], shard))
    parking.failures.append(failure_row(1, ordinals[0], key, shard))
    assert owner.commit(changes) == frozenset()


def bury(owner: Owner, *letters: DeadLetter, shard: str = SHARD) -> None:
    """A commit of dead letters."""
    changes = owner.changes(shard)
    changes.to_park().dead += letters
    assert owner.commit(changes) == frozenset()
