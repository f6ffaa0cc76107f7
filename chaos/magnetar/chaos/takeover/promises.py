"""What the orders of this load must come to, besides what every run must."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.actors.ordering.rules import ENDS
from magnetar.chaos.checkers import CHECKERS
from magnetar.chaos.evidence import Place
from magnetar.chaos.history import Violation
from magnetar.chaos.verdict import Checker
from magnetar.runtime.routing import partition_of
from magnetar.runtime.worker.arrival import TIMER
from magnetar.schemas import Kept
from magnetar.schemas.commerce import Order, OrderStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from magnetar.chaos.evidence import Evidence
    from magnetar.chaos.history import History
    from magnetar.chaos.verdict import Examination


def every_order_ends(history: History, evidence: Evidence) -> Examination:
    """Each order that was placed is confirmed (there was enough of everything, and each was paid), or it is overdue."""
    for key, status in _placed(history, evidence):
        fine = status is OrderStatus.CONFIRMED or (status in ENDS and _ran_out(key, evidence))
        yield None if fine else Violation("every order is confirmed", key, f"it is {status}")


def no_order_is_overdue(history: History, evidence: Evidence) -> Examination:
    """No order was cancelled for stock or money that came later than the shop waits. Slow; not wrong."""
    for key, status in _placed(history, evidence):
        late = status is not OrderStatus.CONFIRMED and _ran_out(key, evidence)
        yield Violation("no order is overdue", key, f"it is {status}, by its timer") if late else None


def _placed(history: History, evidence: Evidence) -> Iterator[tuple[str, OrderStatus | None]]:
    codec = evidence.wiring.actors["orders"].codec
    for sending in history.sendings.values():
        if sending.topic == "orders":
            row = evidence.states.get(("orders", sending.key))
            order = None if row is None else codec.decode(row.body, codec.schema, Kept("orders", sending.key))
            yield sending.key, order.status if isinstance(order, Order) else None


def _ran_out(key: str, evidence: Evidence) -> bool:
    return any(row.source == TIMER for row in evidence.timelines.get(("orders", key), ()))


def effects_in_order(_: History, evidence: Evidence) -> Examination:
    """What the messages of a key sent to one place is there in the order in which they were applied."""
    where = {
        delivery.properties.get("message_id"): delivery.position for log in evidence.logs.values() for delivery in log
    }
    lanes: dict[tuple[str, str, Place], list[tuple[int, str]]] = {}
    for effect in evidence.effects:
        place = Place(effect.topic, partition_of(effect.key, evidence.partitions(effect.topic)))
        lanes.setdefault((effect.by.actor, effect.by.key, place), []).append((effect.by.version, effect.message_id))
    for (actor, key, place), lane in lanes.items():
        lane.sort(key=lambda sent: sent[0])
        found = [where[message_id] for _, message_id in lane if message_id in where]
        fine = found == sorted(found)
        yield None if fine else Violation("effects are in order", f"actor {actor}, key {key}", f"to {place} at {found}")


EFFECTS_IN_ORDER = Checker("effects in order", ("R19",), effects_in_order)
WANTED = (
    *CHECKERS,
    Checker("every order ends", ("R2",), every_order_ends),
    Checker("no order is overdue", ("R26",), no_order_is_overdue),
    EFFECTS_IN_ORDER,
)


def complaints(history: History, evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Everything that is wrong: who complains, and of what."""
    for checker in WANTED:
        for violation in checker.examine(history, evidence):
            if violation is not None:
                yield checker.name, str(violation)
