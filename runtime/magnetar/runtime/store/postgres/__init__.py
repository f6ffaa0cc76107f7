"""The store in a PostgreSQL database, for many workers. Needs the extra `postgres`.

`PostgresPlace` is the data; it outlives the `PostgresStore` and `PostgresViews` opened on it.
"""

from magnetar.runtime.store.postgres.places import PostgresPlace
from magnetar.runtime.store.postgres.store import PostgresStore
from magnetar.runtime.store.postgres.upkeep import PostgresUpkeep
from magnetar.runtime.store.postgres.views import PostgresViews

__all__ = ["PostgresPlace", "PostgresStore", "PostgresUpkeep", "PostgresViews"]
