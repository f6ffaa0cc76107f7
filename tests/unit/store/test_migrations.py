"""Migrations: numbered files, applied once and in order; a store that went past this code, or is edited, is refused."""

from __future__ import annotations

from itertools import pairwise

import pytest

from magnetar.runtime.store.port import StoreMismatch
from magnetar.runtime.store.sql.migrations import (
    BOTH_PHASES,
    Applied,
    Migration,
    Phase,
    migrate,
    migration_in,
    migrations,
    missing,
)

FIRST = Migration(1, Phase.PRE, "initial", "CREATE TABLE a (b)")
SECOND = Migration(2, Phase.PRE, "more", "CREATE TABLE c (d)")
THIRD = Migration(3, Phase.POST, "less", "DROP TABLE a")


class Notebook:
    """A ledger in memory that may fail at one migration."""

    def __init__(self, *done: Migration, fails_at: int | None = None) -> None:
        self.done = list(done)
        self.fails_at = fails_at

    def applied(self) -> dict[int, Applied]:
        """What was done."""
        return {each.number: Applied(each.phase, each.checksum) for each in self.done}

    def apply(self, migration: Migration) -> None:
        """Do it, or fail."""
        if migration.number == self.fails_at:
            raise ConnectionError(migration.name)
        self.done.append(migration)


def test_what_is_missing_is_applied_in_order() -> None:
    """And applying again does nothing."""
    notebook = Notebook(FIRST)
    for _ in range(2):
        migrate(notebook, [FIRST, SECOND, THIRD], BOTH_PHASES)
        assert notebook.done == [FIRST, SECOND, THIRD]


def test_a_phase_at_a_time() -> None:
    """Before the new code starts only the `pre` steps run; the `post` steps wait until the old code is gone."""
    notebook = Notebook()
    migrate(notebook, [FIRST, SECOND, THIRD], frozenset({Phase.PRE}))
    assert notebook.done == [FIRST, SECOND]
    migrate(notebook, [FIRST, SECOND, THIRD], BOTH_PHASES)
    assert notebook.done == [FIRST, SECOND, THIRD]


def test_a_failure_keeps_what_is_done() -> None:
    """The next attempt goes on where the last one failed."""
    notebook = Notebook(fails_at=2)
    with pytest.raises(ConnectionError):
        migrate(notebook, [FIRST, SECOND, THIRD], BOTH_PHASES)
    assert notebook.done == [FIRST]
    notebook.fails_at = None
    migrate(notebook, [FIRST, SECOND, THIRD], BOTH_PHASES)
    assert notebook.done == [FIRST, SECOND, THIRD]


def test_newer_code_may_have_prepared_the_store() -> None:
    """Old workers go on beside new ones, and after a roll-back: `pre` migrations take nothing away."""
    notebook = Notebook(FIRST, SECOND)
    migrate(notebook, [FIRST], BOTH_PHASES)
    assert notebook.done == [FIRST, SECOND]


def test_a_store_that_went_past_this_code_is_refused() -> None:
    """Nothing is applied to a store that has a `post` migration which this code does not know."""
    notebook = Notebook(FIRST, THIRD)
    with pytest.raises(StoreMismatch, match="0003"):
        migrate(notebook, [FIRST, SECOND], BOTH_PHASES)
    assert notebook.done == [FIRST, THIRD]


def test_an_edited_file_is_refused() -> None:
    """A released migration is history: its checksum must be the one that the store keeps."""
    edited = Migration(1, Phase.PRE, "initial", FIRST.text + " STRICT")
    with pytest.raises(StoreMismatch, match="0001"):
        missing({1: Applied(Phase.PRE, FIRST.checksum)}, [edited])


@pytest.mark.parametrize(
    "name", ["1_pre_initial.sql", "0001_initial.sql", "0001_during_initial.sql", "0001_pre_.sql", "0001_pre_initial"]
)
def test_a_file_says_number_phase_and_purpose(name: str) -> None:
    """Anything else in the folder is a mistake that shows at once."""
    with pytest.raises(ValueError, match="NNNN_pre_what"):
        migration_in(name, "")
    assert migration_in("0012_post_drop_tails.sql", "x") == Migration(12, Phase.POST, "drop_tails", "x")


@pytest.mark.parametrize("dialect", ["sqlite", "postgres"])
def test_the_shipped_numbers_have_no_gap(dialect: str) -> None:
    """Two branches that each add a migration of the same number do not both get in."""
    numbers = [0, *(each.number for each in migrations(dialect))]
    assert len(numbers) > 2
    assert all(after == before + 1 for before, after in pairwise(numbers))
