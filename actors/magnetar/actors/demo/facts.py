"""What the oracle judges by: the sender's own log, every topic, and the store, read independently of the engine."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from magnetar.runtime.identity import id_of, to_text
from magnetar.schemas import Kept
from magnetar.schemas.commerce import RefundRequested

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from magnetar.actors.demo.plan import Planned
    from magnetar.runtime.bus.port import Delivery
    from magnetar.runtime.compose.places import BusPlace
    from magnetar.runtime.store.port import JournalRow
    from magnetar.runtime.store.views import Views
    from magnetar.runtime.wiring import Wiring
    from magnetar.schemas.commerce import Order, Payment, Stock


@dataclass(slots=True)
class Facts:
    """Everything there is to know when the demo has come to rest. Ids are canonical text."""

    sent: dict[str, Planned]
    published: dict[str, list[Delivery]]  # id → each time that it stands on a topic
    journal: list[JournalRow]
    orders: dict[str, Order]
    payments: dict[str, Payment]
    stock: dict[str, Stock]
    refunds: Counter[str]  # capture reference → how often its refund was requested on the public topic
    unsent: int
    decided: Counter[str] = field(default_factory=Counter)  # id → how often a journal says that it was sent

    @property
    def copies(self) -> int:
        """Messages on the topics above one for each id."""
        return sum(len(seen) - 1 for seen in self.published.values())


def gather(wiring: Wiring, bus: BusPlace, views: Views, sent: Iterable[Planned]) -> Facts:
    """Read it all. Blocks; raises what the bus and the store raise."""
    published: dict[str, list[Delivery]] = defaultdict(list)
    for topic in wiring.topics.values():
        for partition in range(topic.partitions or 1):
            for delivery in bus.log(topic.name, partition):
                published[_canonical(delivery.properties["message_id"])].append(delivery)
    journal = [row for actor in wiring.actors for row in views.journal_of(actor)]
    facts = Facts(
        sent={_canonical(planned.message_id): planned for planned in sent},
        published=dict(published),
        journal=journal,
        orders=_states(wiring, views, "orders"),
        payments=_states(wiring, views, "payments"),
        stock=_states(wiring, views, "stock"),
        refunds=_refunds(wiring, published),
        unsent=sum(len(views.unsent_of(actor)) for actor in wiring.actors),
    )
    for row in journal:
        facts.decided.update(entry["id"] for entry in json.loads(row.sent) if "id" in entry)
    return facts


def _refunds(wiring: Wiring, published: Mapping[str, list[Delivery]]) -> Counter[str]:
    codec = wiring.topics["payments-events"].codec
    found: Counter[str] = Counter()
    for seen in published.values():
        for delivery in seen:
            if delivery.topic == "payments-events":
                message = codec.decode(delivery.body, codec.schema, Kept(delivery.topic, str(delivery.position)))
                if isinstance(message, RefundRequested):
                    found[message.reference] += 1
    return found


def _canonical(message_id: str) -> str:
    return to_text(id_of(message_id))


def _states(wiring: Wiring, views: Views, actor: str) -> dict[str, Any]:
    codec = wiring.actors[actor].codec
    return {row.key: codec.decode(row.body, codec.schema, Kept(actor, row.key)) for row in views.states_of(actor)}
