"""The store in a SQLite file (WAL, `synchronous=FULL`), or in memory for tests and simulation. One process uses it.

`SqliteFile` and `SqliteMemory` are the data; they outlive the `SqliteStore` and `SqliteViews` opened on them.
"""

from magnetar.runtime.store.sqlite.database import Database
from magnetar.runtime.store.sqlite.places import SqliteFile, SqliteMemory
from magnetar.runtime.store.sqlite.store import SqliteStore
from magnetar.runtime.store.sqlite.views import SqliteViews

__all__ = ["Database", "SqliteFile", "SqliteMemory", "SqliteStore", "SqliteViews"]
