"""What is there when everything has come to rest: topics and store, read beside the engine, as the checkers want it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Protocol

from magnetar.chaos.cluster.crew import Addressed
from magnetar.chaos.evidence import Cursor, Evidence, Place, unapplied
from magnetar.chaos.history import Answered, History, Intended
from magnetar.chaos.takeover.gaps import Passed
from magnetar.runtime.bus.port import BusUnavailable
from magnetar.runtime.bus.pulsar.admin import Admin
from magnetar.runtime.bus.pulsar.settings import PulsarSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from magnetar.chaos.history import AnyEvent
    from magnetar.chaos.takeover.load import Published
    from magnetar.runtime.bus.port import Delivery
    from magnetar.runtime.compose.places import BusPlace, StorePlace
    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.port import TimerRow
    from magnetar.runtime.wiring import Topic, Wiring

_READERS = 4
_TRIES = 5
_EVER = 2**62


class Readable(Addressed, Protocol):
    """Servers that can be read: addresses, and what opens them."""

    wiring: Wiring

    @property
    def bus(self) -> BusPlace:
        """For whoever reads the topics."""
        ...

    @property
    def store(self) -> StorePlace:
        """For whoever reads the store."""
        ...


def history_of(published: Iterable[Published]) -> History:
    """What the customers wrote down, as the checkers want it."""
    history = History(lambda: 0)
    for event in events_of(published):
        history.append(event)
    return history


def events_of(published: Iterable[Published], first: int = 0) -> Iterator[AnyEvent]:
    """The same, one by one; numbers from `first` on."""
    for number, each in enumerate(published, first):
        yield Intended(each.meant, number, each.message_id, each.topic, each.partition, each.key)
        yield Answered(each.confirmed, number, None)


def gather(ground: Readable) -> Evidence:
    """Read everything. Nobody may be working. Blocks; raises what bus and store raise."""
    wiring, views = ground.wiring, ground.store.views()
    logs = _logs(ground)
    try:
        journal = {(row.actor, row.message_id): row for actor in wiring.actors for row in views.journal_of(actor)}
        states = {(row.actor, row.key): row for actor in wiring.actors for row in views.states_of(actor)}
        return Evidence(
            wiring=wiring,
            logs=logs,
            cursors=_cursors(ground, logs),
            shards={row.shard: row for row in views.shards()},
            journal=journal,
            states=states,
            timers=_timers(ground, states),
            unsent=[row for actor in wiring.actors for row in views.unsent_of(actor)],
            rows={table.name: list(views.rows_of(table.name)) for table in wiring.tables()},
            schemas=views.schemas(),
            unapplied=unapplied(wiring, views, journal),
            errands={who: views.effects_of(*who) for who in states if wiring.actors[who[0]].effects},
            at=views.now(),
        )
    finally:
        views.close()


def _topics(wiring: Wiring) -> Iterable[tuple[Topic, int]]:
    return [(topic, number) for topic in wiring.topics.values() for number in range(topic.partitions or 0)]


def _logs(ground: Readable) -> Mapping[Place, list[Delivery]]:
    topics = ground.wiring.provisioned()
    places = [Place(topic.name, number) for topic in topics for number in range(topic.partitions or 0)]
    with ThreadPoolExecutor(_READERS) as pool:
        return dict(zip(places, pool.map(partial(_log, ground), places), strict=True))


def _log(ground: Readable, place: Place) -> list[Delivery]:
    """Asked again by a machine that is too busy to be answered: nobody works, so the next answer is as good."""
    for _ in range(_TRIES - 1):
        try:
            return ground.bus.log(*place)
        except BusUnavailable:
            continue
    return ground.bus.log(*place)


def _cursors(ground: Readable, logs: Mapping[Place, list[Delivery]]) -> list[Cursor]:
    """Every subscription: the last message that the broker has as acknowledged, and how many came after it."""
    settings = PulsarSettings(service_url=ground.bus_url, application=ground.wiring.app)
    found: list[Cursor] = []
    with Admin(ground.admin_url) as admin:
        for topic, number in _topics(ground.wiring):
            log = logs[Place(topic.name, number)]
            for actor, subscription in zip(topic.takers, topic.subscriptions, strict=True):
                mark = admin.mark(settings.partition(topic.name, number), subscription).acknowledged
                left = sum(mark is None or delivery.position > mark for delivery in log)
                found.append(Cursor(actor, Place(topic.name, number), mark, left))
    return found


def _timers(ground: Readable, states: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], list[TimerRow]]:
    """By key, also for those that have none; asked shard by shard, which is how the engine asks."""
    found: dict[tuple[str, str], list[TimerRow]] = {who: [] for who in states}
    store = ground.store.open()
    try:
        for actor, partitions in ground.wiring.partitions().items():
            for number in range(partitions):
                for row in store.timers(f"{actor}/{number}", _EVER):
                    found.setdefault((row.actor, row.key), []).append(row)
    finally:
        store.close()
    return found


def handled(evidence: Evidence) -> list[Passed]:
    """Each message of a topic that was applied: when it was published, and when it was handled, before its commit."""
    rows = (row for timeline in evidence.timelines.values() for row in timeline)
    return [Passed(row.shard, row.published_at, row.now) for row in rows if row.position]


def passed(evidence: Evidence) -> list[Passed]:
    """Each message of a topic that had an effect: when it was published, and when the first of its effects was."""
    rows = ((evidence.journal[who], at) for who, at in effects_seen(evidence).items())
    return [Passed(row.shard, row.published_at, at) for row, at in rows if row.position]


def effects_seen(evidence: Evidence) -> dict[tuple[str, bytes], Instant]:
    """Of each message that had an effect, by actor and id: when the first of these, or of its copies, was published."""
    published: dict[str, Instant] = {}
    for log in evidence.logs.values():
        for delivery in log:
            text = delivery.properties.get("message_id")
            if text is not None:
                published[text] = min(delivery.published_at, published.get(text, delivery.published_at))
    seen: dict[tuple[str, bytes], Instant] = {}
    for effect in evidence.effects:
        at, who = published.get(effect.message_id), (effect.by.actor, effect.by.message_id)
        if at is not None:
            seen[who] = min(at, seen.get(who, at))
    return seen
