"""What the broker has for each shard and the shard has not acknowledged. Needs the extra `admin`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.runtime.bus.pulsar.admin import Admin
from magnetar.runtime.compose.places import wanted_of
from magnetar.runtime.instant import micros
from magnetar.runtime.operate.fleet import Lag
from magnetar.runtime.wiring import subscription_of
from magnetar.runtime.worker.winning import shard_plans

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import TracebackType
    from typing import Self

    from magnetar.runtime.bus.pulsar.access import Access
    from magnetar.runtime.bus.pulsar.answers import Backlog
    from magnetar.runtime.store.port import ShardName
    from magnetar.runtime.wiring import Wiring

    Backlogs = Mapping[str, Mapping[int, Mapping[str, Backlog]]]


class Lags:
    """Asks one cluster's REST API for one app: one call for each topic. Raises `BusError`."""

    def __init__(self, url: str, wiring: Wiring, access: Access | None = None) -> None:
        """`url` is `http://host:8080` or `https://host:8443`; nothing is asked yet."""
        self._admin = Admin(url, access=access)
        self._wiring = wiring

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._admin.close()

    def look(self) -> Mapping[ShardName, Lag]:
        """The lag of each shard now, over all topics that feed it."""
        wanted = wanted_of(self._wiring)
        taken = {topic.name for topic in self._wiring.topics.values() if topic.takers}
        return shard_lags(self._wiring, {name: self._admin.backlogs(wanted.full(name)) for name in taken})


def shard_lags(wiring: Wiring, backlogs: Backlogs) -> Mapping[ShardName, Lag]:
    """From topic → partition → subscription: the lag of each shard."""
    partitions = {name: topic.partitions or len(backlogs.get(name, ())) for name, topic in wiring.topics.items()}
    return {
        name: _sum(
            found
            for topic, partition in shard.feeds
            if (found := backlogs.get(topic.name, {}).get(partition, {}).get(subscription_of(shard.plan.name)))
        )
        for name, shard in shard_plans(wiring.actors, partitions).items()
    }


def _sum(backlogs: Iterable[Backlog]) -> Lag:
    """The broker dates in milliseconds; 0 or less is no date."""
    waiting = [backlog for backlog in backlogs if backlog.messages > 0]
    oldest = min((backlog.earliest for backlog in waiting if backlog.earliest > 0), default=None)
    total = sum(backlog.messages for backlog in waiting)
    return Lag(total, None if oldest is None else micros(oldest / 1000))
