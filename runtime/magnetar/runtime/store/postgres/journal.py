"""The journal's partitions: made ahead of time, and dropped whole when nothing can be redelivered that old (R4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from magnetar.runtime.instant import SECOND
from magnetar.runtime.store.postgres.connection import Call, Refused
from magnetar.runtime.store.postgres.database import SQL
from magnetar.runtime.store.postgres.failures import LOCKED, translated
from magnetar.runtime.store.postgres.migrating import exclude_others
from magnetar.runtime.store.postgres.packing import integer
from magnetar.runtime.store.postgres.periods import Period, Range, instant_of, lowest_id, ranges

if TYPE_CHECKING:
    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.postgres.database import Session, Transaction

_DAY = 86_400 * SECOND
AHEAD = 400 * _DAY
"""How far ahead partitions are made."""
_ENOUGH = 200 * _DAY
_PATIENCE = 600.0
_BATCH = 10_000
# Whoever wants the whole table must wait for readers, and everybody waits behind him: so not for long.
_BRIEFLY = Call("SELECT set_config('lock_timeout', '500ms', true)")
# A row that is younger than its id (an old story's next message), and what nobody has dealt with yet, stay.
_KEPT = "now >= {horizon} OR disposition IN ('parked', 'dead')"


class Trimmed(NamedTuple):
    """What a trim does to one table: rows that go, and rows that are kept."""

    table: str
    gone: int
    kept: int


def partitions(session: Session) -> list[Range]:
    """Those there are but the last, by their ids."""
    [rows] = session.read("looking at the journal's partitions", Call(SQL["journal_partitions"]))
    return [Range(table, UUID(bytes=lower), UUID(bytes=upper)) for table, lower, upper in rows]


def make_ahead(session: Session, period: Period) -> list[Range]:
    """Make the partitions of the next 13 months, unless there are enough; returns those made.

    None are made while somebody reads the journal for long: rows without a partition go into the last one, and the next
    who opens the store tries again.
    """
    [[(now,)]] = session.read("reading the clock", Call(SQL["now"]))
    there = partitions(session)
    if there and instant_of(there[-1].upper) > now + _ENOUGH:
        return []
    try:
        return _make(session, period, now)
    except _Occupied:
        return []


class _Occupied(Exception):
    """A table is in use by somebody who does not let go of it soon."""


def _make(session: Session, period: Period, now: Instant) -> list[Range]:
    with session.transaction("making partitions of the journal", _PATIENCE) as transaction:
        exclude_others(transaction)
        rows, _ = transaction.run(Call(SQL["journal_partitions"]), _BRIEFLY)
        after = instant_of(UUID(bytes=rows[-1][2])) if rows else None
        wanted = ranges(period, after, now, now + AHEAD)
        for each in wanted:
            _alone(transaction, _creation(transaction, each))
    return wanted


def _alone(transaction: Transaction, text: str) -> None:
    try:
        transaction.script(text)
    except Refused as error:
        if error.code == LOCKED:
            raise _Occupied from error
        raise


def _creation(transaction: Transaction, each: Range) -> str:
    """Rows that lie in the range already (another's ids look like any instant's) move into it."""
    bounds = f"FOR VALUES FROM ('{each.lower}') TO ('{each.upper}')"
    [[(strays,)]] = transaction.run(Call(SQL["unpartitioned"], (each.lower.bytes, each.upper.bytes)))
    if not strays:
        return f"CREATE TABLE {each.table} PARTITION OF journal {bounds}"
    within = f"message_id >= '{each.lower}' AND message_id < '{each.upper}'"
    return (
        f"CREATE TABLE {each.table} (LIKE journal INCLUDING ALL);"  # noqa: S608 - names and ids are made here
        f"WITH moved AS (DELETE FROM journal_default WHERE {within} RETURNING *)"
        f" INSERT INTO {each.table} SELECT * FROM moved;"
        f"ALTER TABLE journal ATTACH PARTITION {each.table} {bounds}"
    )


def would_drop(session: Session, horizon: Instant) -> list[Trimmed]:
    """What `drop_before` would do now; changes nothing. Reads the tables that would go."""
    found: list[Trimmed] = []
    for each in _old(session, horizon):
        statement = f"SELECT count(*), count(*) FILTER (WHERE {_KEPT.format(horizon=int(horizon))}) FROM {each.table}"  # noqa: S608
        [[(all_rows, kept)]] = session.read(f"counting the rows of {each.table}", Call(statement))
        found.append(Trimmed(each.table, all_rows - kept, kept))
    [[(worn,)]] = session.read("counting old rows", Call(SQL["worn_out"], (integer(horizon),)))
    return [*found, Trimmed("journal_default", worn, 0)] if worn else found


def drop_before(session: Session, horizon: Instant) -> list[Trimmed]:
    """Drop the partitions whose ids are all older than `horizon`; in the last one, which holds any, delete old rows.

    Rows that were journalled after the horizon, parked and dead ones are kept: they move into the last partition. While
    a partition is looked through for those, only commits of messages that old wait; all others for as long as it takes
    to move them. `StoreUnavailable` while somebody reads the journal for long.
    """
    dropped = [_drop(session, each, horizon) for each in _old(session, horizon)]
    deleted = _delete_worn_out(session, horizon)
    return [*dropped, Trimmed("journal_default", deleted, 0)] if deleted else dropped


def _old(session: Session, horizon: Instant) -> list[Range]:
    return [each for each in partitions(session) if each.upper <= lowest_id(horizon)]


def _drop(session: Session, each: Range, horizon: Instant) -> Trimmed:
    doing = f"dropping {each.table}"
    with session.transaction(doing, _PATIENCE) as transaction:
        try:
            trimmed = _set_aside(transaction, each, horizon)
            exclude_others(transaction)
            transaction.run(_BRIEFLY)
            _alone(transaction, f"ALTER TABLE journal DETACH PARTITION {each.table}")
        except _Occupied as error:
            raise translated(Refused(0, LOCKED, "somebody reads the journal"), doing) from error
        transaction.script(f"INSERT INTO journal_default SELECT * FROM set_aside; DROP TABLE {each.table}")  # noqa: S608
    return trimmed


def _set_aside(transaction: Transaction, each: Range, horizon: Instant) -> Trimmed:
    """Copy what is kept, under a lock that stops only who writes into this partition: reading it may take long."""
    transaction.run(Call(SQL["without_haste"]), _BRIEFLY)
    _alone(transaction, f"LOCK TABLE {each.table} IN SHARE MODE")
    kept_rows = f"SELECT * FROM {each.table} WHERE {_KEPT.format(horizon=int(horizon))}"  # noqa: S608
    transaction.script(f"CREATE TEMPORARY TABLE set_aside ON COMMIT DROP AS {kept_rows}")
    counting = Call(f"SELECT (SELECT count(*) FROM {each.table}), count(*) FROM set_aside")  # noqa: S608
    [[(all_rows, kept)]] = transaction.run(counting)
    return Trimmed(each.table, all_rows - kept, kept)


def _delete_worn_out(session: Session, horizon: Instant) -> int:
    """In batches of their own transactions, so that nobody waits for long."""
    deleted = 0
    while True:
        with session.transaction("deleting old rows", _PATIENCE) as transaction:
            exclude_others(transaction)
            [gone] = transaction.run(Call(SQL["trim_default"], (integer(horizon), integer(_BATCH))))
        deleted += len(gone)
        if len(gone) < _BATCH:
            return deleted
