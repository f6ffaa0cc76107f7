"""A group commit: every shard fenced, all rows of those that passed, and COMMIT (R6), in one round trip.

The usual group loses no shard, so fence, rows and COMMIT go out together; the fence, and every write that must meet its
row, makes the transaction fail where it falls short. Only then is there a second way: the fence is asked which shards
it refuses, and the rows of the others follow, in the same transaction.
"""

from __future__ import annotations

from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING

from magnetar.runtime.store.port import ShardChanges, StoreUnavailable, VersionConflict
from magnetar.runtime.store.postgres import failures, rows
from magnetar.runtime.store.postgres.conflict import RowConflict, conflict_in
from magnetar.runtime.store.postgres.connection import Call, Refused
from magnetar.runtime.store.postgres.database import SQL
from magnetar.runtime.store.postgres.packing import texts
from magnetar.runtime.store.sql.tables import check_row

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from magnetar.runtime.store.port import ShardName
    from magnetar.runtime.store.postgres.database import Session, Transaction
    from magnetar.runtime.table import Table

_DOING = "committing a group"
_TRIES = 5
_name = attrgetter("shard")


class _FenceRefused(Exception):
    """A shard of the group is not as this worker knows it."""


def commit_group(session: Session, group: Sequence[ShardChanges], tables: Mapping[str, Table]) -> frozenset[ShardName]:
    """Commit the group; returns the refused shards. Raises as `Store.commit` says."""
    assert len({each.shard for each in group}) == len(group), "a group holds a shard at most once"
    for row in chain.from_iterable(each.rows for each in group):
        check_row(row, tables)
    ordered = sorted(group, key=_name)
    for _ in range(_TRIES):
        try:
            return _committed(session, ordered, tables) if ordered else frozenset()
        except Refused as error:
            if error.code not in failures.AGAIN:
                raise failures.translated(error, _DOING) from error
    message = f"{_DOING}: other transactions got in the way {_TRIES} times; try again"
    raise StoreUnavailable(message)


def _committed(session: Session, group: Sequence[ShardChanges], tables: Mapping[str, Table]) -> frozenset[ShardName]:
    try:
        _at_once(session, group, tables)
    except _FenceRefused:
        return _without_refused(session, group, tables)
    except RowConflict as conflict:
        raise conflict_in(session, conflict.table, group) from conflict
    return frozenset()


def _at_once(session: Session, group: Sequence[ShardChanges], tables: Mapping[str, Table]) -> None:
    """The whole group in one round trip, or nothing of it."""
    try:
        fence, writes = rows.fence("fence_all", group), rows.writes(group, tables)
    except failures.UNFIT as error:
        raise failures.rejected(error, _DOING) from error
    try:
        session.write(_DOING, [*fence, *(call for _, call in writes)])
    except Refused as error:
        if error.index < len(fence) and error.code == failures.SHORT:
            raise _FenceRefused from error
        raise _said_of(error, [*[""] * len(fence), *(table for table, _ in writes)]) from error


def _without_refused(
    session: Session, group: Sequence[ShardChanges], tables: Mapping[str, Table]
) -> frozenset[ShardName]:
    """Fence, then the rows of the shards that passed, in one transaction of three round trips."""
    accepted: list[ShardChanges] = []
    try:
        with session.transaction(_DOING) as transaction:
            accepted += _fenced(transaction, group)
            writes = rows.writes(accepted, tables)
            try:
                transaction.run(*(call for _, call in writes))
            except Refused as error:
                raise _said_of(error, [table for table, _ in writes]) from error
    except RowConflict as conflict:
        raise conflict_in(session, conflict.table, accepted) from conflict
    return frozenset(map(_name, group)) - frozenset(map(_name, accepted))


def _fenced(transaction: Transaction, group: Sequence[ShardChanges]) -> list[ShardChanges]:
    """Those whose row was as this worker knows it; it is locked and advanced now. `VersionConflict`."""
    asked = Call(SQL["epochs_and_commits"], (texts(list(map(_name, group))),))
    _, advanced, found = transaction.run(*rows.fence("fence", group), asked)
    commits: dict[ShardName, int] = dict(advanced)
    known = {shard: (epoch, count) for shard, epoch, count in found}
    for each in group:
        if each.shard in commits:
            assert commits[each.shard] == each.commits + 1, f"shard {each.shard}: stepped to {commits[each.shard]}"
        elif (row := known.get(each.shard)) is not None and row[0] == each.epoch:
            raise VersionConflict(each.shard, f"shards: {row[1]} commits, this worker knows {each.commits}")
    return [each for each in group if each.shard in commits]


def _said_of(error: Refused, tables: Sequence[str]) -> Exception:
    """What a refused call means: a conflict in its table, content, or the refusal itself."""
    table = tables[error.index] if 0 <= error.index < len(tables) else ""
    if table and error.code in {failures.SHORT, failures.TAKEN, failures.TWICE}:
        return RowConflict(table)
    if failures.is_content(error) or error.code == failures.TAKEN:  # an application's row twice
        return failures.rejected(error, _DOING)
    return error
