"""The invariants of the demo: pure functions of the facts. Each says how much it looked at, and who broke it."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from magnetar.runtime.identity import to_text
from magnetar.schemas.commerce import Capture, CaptureFate, OrderStatus, Restock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from magnetar.actors.demo.facts import Facts
    from magnetar.schemas.commerce import Order

FINAL = frozenset({OrderStatus.CONFIRMED, OrderStatus.CANCELLED, OrderStatus.REFUSED})
_MOST_WITNESSES = 5


@dataclass(frozen=True, slots=True)
class Verdict:
    """One invariant: its sentence, how many cases it was held against, and what broke it (empty: it holds).

    An invariant that was held against nothing has proved nothing: it counts as broken.
    """

    promise: str
    cases: int
    broken: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Kept, and not in an empty room."""
        return not self.broken and self.cases > 0


def judge(facts: Facts) -> list[Verdict]:
    """Every invariant, in the order in which a reader would ask."""
    return [verdict(promise, check(facts)) for promise, check in _PROMISES]


def verdict(promise: str, cases: Iterable[str | None]) -> Verdict:
    """A case for each that was looked at: None, or who broke it and how."""
    looked = list(cases)
    broken = [witness for witness in looked if witness is not None]
    shown = broken[:_MOST_WITNESSES]
    if len(broken) > len(shown):
        shown.append(f"… and {len(broken) - len(shown)} more")
    return Verdict(promise, len(looked), tuple(shown))


def _applied_once(facts: Facts) -> Iterator[str | None]:
    rows = Counter(to_text(row.message_id) for row in facts.journal if row.disposition == "applied")
    for message_id, planned in facts.sent.items():
        times = rows[message_id]
        yield None if times == 1 else f"{planned.message_id} was applied {times} times"


def _nothing_from_nowhere(facts: Facts) -> Iterator[str | None]:
    for row in facts.journal:
        if row.source != "timer":
            known = to_text(row.message_id) in facts.published
            yield None if known else f"{row.key}: {row.type} {to_text(row.message_id)} stands on no topic"


def _one_effect(facts: Facts) -> Iterator[str | None]:
    """What journals say was sent stands on the topics once; what stands there was sent by the client or a journal."""
    for message_id, times in facts.decided.items():
        published = len(facts.published.get(message_id, ()))
        fine = times == 1 and published == 1
        yield None if fine else f"message {message_id} was decided {times} times and published {published} times"
    for message_id, seen in facts.published.items():
        if message_id not in facts.decided and message_id not in facts.sent:
            yield f"message {message_id} on {seen[0].topic} for {seen[0].key} was sent by nobody"


def _versions(facts: Facts) -> Iterator[str | None]:
    by_key: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row in facts.journal:
        by_key[row.actor, row.key].append(row.version)
    for (actor, key), versions in by_key.items():
        whole = sorted(versions) == list(range(1, len(versions) + 1))
        yield None if whole else f"{actor}/{key} has versions {sorted(versions)}"


def _ended(facts: Facts) -> Iterator[str | None]:
    placed = {planned.message_id.removeprefix("place-") for planned in facts.sent.values()}
    for order_id in sorted(placed & facts.orders.keys()):
        status = facts.orders[order_id].status
        yield None if status in FINAL else f"{order_id} is still {status.value}"


def _stock(facts: Facts) -> Iterator[str | None]:
    """By the sender's own log of what came in, and by what each order holds."""
    came: Counter[str] = Counter()
    for planned in facts.sent.values():
        if isinstance(planned.message, Restock):
            came[planned.message.sku] += planned.message.quantity
    sold: Counter[str] = Counter()
    for order in facts.orders.values():
        if order.status is OrderStatus.CONFIRMED:
            sold.update({each.line.sku: each.line.quantity for each in order.lines})
    for sku, quantity in came.items():
        shelf = facts.stock[sku]
        fine = shelf.on_hand >= 0 and shelf.reserved == 0 and shelf.sold == sold[sku]
        fine = fine and shelf.on_hand + shelf.reserved + shelf.sold == quantity
        told = f"{shelf.on_hand} on hand, {shelf.reserved} reserved, {shelf.sold} sold"
        yield None if fine else f"{sku}: {told}; {quantity} came in, confirmed orders took {sold[sku]}"


def _money(facts: Facts) -> Iterator[str | None]:
    """Each capture that the sender sent was kept for a confirmed order, or asked back once."""
    for planned in facts.sent.values():
        capture = planned.message
        if isinstance(capture, Capture):
            order = facts.orders.get(capture.order_id)
            kept = order is not None and _keeps(order, capture)
            back = facts.refunds[capture.reference]
            told = "unknown" if order is None else order.status.value
            fine = back == (0 if kept else 1)
            yield None if fine else f"{capture.order_id} ({told}): {capture.reference} was asked back {back} times"


def _keeps(order: Order, capture: Capture) -> bool:
    """Whether the order was confirmed on this very capture, and for its amount."""
    confirmed = order.status is OrderStatus.CONFIRMED
    return confirmed and order.paid_by == capture.reference and order.total == capture.amount


def _paid(facts: Facts) -> Iterator[str | None]:
    """What the payment actors hold agrees with the orders."""
    for order_id, payment in facts.payments.items():
        accepted = [taken for taken in payment.captures if taken.fate is CaptureFate.ACCEPTED]
        order = facts.orders.get(order_id)
        confirmed = order is not None and order.status is OrderStatus.CONFIRMED
        yield (
            None
            if len(accepted) == (1 if confirmed else 0)
            else (
                f"{order_id}: {len(accepted)} accepted captures, order {'confirmed' if confirmed else 'not confirmed'}"
            )
        )


def _all_published(facts: Facts) -> Iterator[str | None]:
    yield None if facts.unsent == 0 else f"{facts.unsent} decided messages are still in the outbox"


def _absorbed(facts: Facts) -> Iterator[str | None]:
    """The demo must have sent copies, or it has proved nothing about them."""
    yield None if facts.copies > 0 else "no message was on a topic twice"


_PROMISES: tuple[tuple[str, Callable[[Facts], Iterator[str | None]]], ...] = (
    ("every message sent was applied exactly once", _applied_once),
    ("nothing was applied that stands on no topic", _nothing_from_nowhere),
    ("every decided message was published exactly once", _one_effect),
    ("per key, versions run without a gap", _versions),
    ("every order came to an end", _ended),
    ("stock is neither oversold nor lost", _stock),
    ("every capture was kept for a confirmed order, or asked back once", _money),
    ("every confirmed order was paid once, no other kept money", _paid),
    ("no decided message is left unsent", _all_published),
    ("copies of messages were really there to be absorbed", _absorbed),
)
