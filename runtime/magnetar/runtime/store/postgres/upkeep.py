"""What operators do to a database from time to time: migrations of the second phase, and trimming the journal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.runtime.store.postgres import journal
from magnetar.runtime.store.postgres.connection import Call
from magnetar.runtime.store.postgres.database import SQL, upkeep_session
from magnetar.runtime.store.postgres.migrating import bring_up_to_date, check_migrated, still_missing
from magnetar.runtime.store.postgres.packing import integer
from magnetar.runtime.store.sql.migrations import BOTH_PHASES, Phase

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.postgres.database import Setup
    from magnetar.runtime.store.postgres.journal import Trimmed
    from magnetar.runtime.store.postgres.periods import Period

_TRIMMING = 0x6D61676E7472696D  # "magntrim": nobody else's advisory lock


class PostgresUpkeep:
    """A connection of its own for this; a context manager that closes it. Calls raise `StoreUnavailable`."""

    def __init__(self, setup: Setup, period: Period) -> None:
        self._session = upkeep_session(setup)
        self._period = period

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()

    def now(self) -> Instant:
        """The database server's clock."""
        [[(now,)]] = self._session.read("reading the clock", Call(SQL["now"]))
        return int(now)

    def migrate(self, *, post: bool) -> list[str]:
        """Apply what is missing: of the phase `pre`, or of both; returns the names of what was. `StoreMismatch`."""
        before = self.waiting()
        bring_up_to_date(self._session, BOTH_PHASES if post else frozenset({Phase.PRE}))
        left = self.waiting()
        return [name for name in before if name not in left]

    def waiting(self) -> list[str]:
        """The names of the migrations that the database lacks, of both phases."""
        return [f"{each.number:04}_{each.phase}_{each.name}" for each in still_missing(self._session)]

    def trim(self, horizon: Instant, *, apply: bool) -> list[Trimmed]:
        """Drop what the journal holds from before the horizon and make new partitions; or only say what would go."""
        check_migrated(self._session)
        if not apply:
            return journal.would_drop(self._session, horizon)
        journal.make_ahead(self._session, self._period)
        return journal.drop_before(self._session, horizon)

    def trim_alone(self, age: Instant) -> list[Trimmed] | None:
        """Trim what is older than `age` (microseconds by the server's clock); None while another process does so.

        Whoever began first keeps the others out until its `PostgresUpkeep` is closed, or its connection is lost.
        """
        [[(first,)]] = self._session.read(
            "looking who trims the journal", Call(SQL["trim_alone"], (integer(_TRIMMING),))
        )
        return self.trim(self.now() - age, apply=True) if first else None
