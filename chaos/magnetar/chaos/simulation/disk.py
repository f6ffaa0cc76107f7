"""The disk under the simulated database: what a loss of power leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from magnetar.runtime.store.sqlite import SqliteMemory


class Disk:
    """What of the database is on the disk: everything that was committed, if its settings say so.

    With weaker ones a loss of power takes it back to its last checkpoint, which comes every few commits.
    """

    CHECKPOINT = 8

    def __init__(self, database: SqliteMemory) -> None:
        self._database = database
        self._durable = database.is_durable
        self._image = b"" if self._durable else database.image()
        self._commits = 0

    def committed(self) -> None:
        """One more commit."""
        self._commits += 1
        if not self._durable and self._commits % self.CHECKPOINT == 0:
            self._image = self._database.image()

    def lose_power(self) -> None:
        """Only what is on the disk is left."""
        if not self._durable:
            self._database.restore(self._image)
