"""What a SKU decides, and what becomes of it: pure functions of (stock, message, now).

**The fence.** After `Release`, `Return` or `Sell` a reservation is settled, and a `Reserve` for it that comes later,
or again, must put nothing aside. Three things see to it, so that none of them has to remember for ever:

1. What was settled lately is remembered, also a reservation that never was (the empty rollback), and is refused.
2. A `Reserve` says until when its order waits (`stock_timeout` after it was placed), and is refused from then on. So
   what was settled longer ago than that can be forgotten: `Memory.seconds` is at least as long.
3. A SKU on which more than `Memory.most` reservations end in that time forgets the oldest of them earlier. A `Reserve`
   for one of those, still in its time, is granted; its order, which never forgets that it has ended, sends `Release`.

One more bound comes from this: a sale can be returned while it is remembered; after that `Return` finds nothing, the
units stay sold, and the outcome says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, takewhile
from typing import TYPE_CHECKING, TypeAlias, assert_never

from magnetar.actors.limits import MOST_HOLDS, MOST_RESTOCKED, MOST_STOCK, is_name
from magnetar.actors.stocking.table import STOCK_LIFECYCLE, ReservationStatus, StockFact, StockNote, StockTransition
from magnetar.schemas import replace
from magnetar.schemas.commerce import (
    Hold,
    Release,
    Reserve,
    Restock,
    Return,
    Sell,
    Settled,
    Settlement,
    Stock,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ReservationMessage: TypeAlias = Reserve | Sell | Release | Return
StockMessage: TypeAlias = Restock | ReservationMessage


def status_of(stock: Stock, order_id: str) -> ReservationStatus:
    """What the SKU knows of an order."""
    if order_id in stock.holds:
        return ReservationStatus.HELD
    settled = stock.settled.get(order_id)
    if settled is None:
        return ReservationStatus.UNKNOWN
    return ReservationStatus.SOLD if settled.how is Settlement.SOLD else ReservationStatus.RELEASED


@dataclass(frozen=True, slots=True)
class Memory:
    """How long (`seconds`) a SKU remembers what was settled, and how many of them at `most`."""

    seconds: float
    most: int


def decide(stock: Stock, message: StockMessage, now: datetime) -> StockTransition:
    """What comes of a message: always exactly one transition of the table, whatever the message holds."""
    status = ReservationStatus.UNKNOWN if isinstance(message, Restock) else status_of(stock, message.order_id)
    return STOCK_LIFECYCLE.choose(status, type(message), facts(stock, message, now))


def evolve(stock: Stock, message: StockMessage, taken: StockTransition, now: datetime, memory: Memory) -> Stock:
    """The SKU after a decision. `now` is the message's time."""
    noted = stock if taken.notes is None else _noted(stock, message, taken.notes, now)
    return _forgetting(replace(noted, outcome=taken.outcome), now, memory)


def facts(stock: Stock, message: StockMessage, now: datetime) -> frozenset[StockFact]:
    """What is true of a message, seen from the SKU."""
    match message:
        case Restock(quantity=quantity):
            fits = 0 < quantity <= MOST_RESTOCKED and stock.restocked + quantity <= MOST_STOCK
            return frozenset() if fits else frozenset({StockFact.BAD_QUANTITY})
        case Reserve():
            return frozenset(_facts_of_reserve(stock, message, now))
        case Sell() | Release() | Return():
            return frozenset(_faults_of_order_id(message.order_id))
        case _:
            assert_never(message)


def units_of(stock: Stock, order_id: str) -> int:
    """How many units are held for an order or sold to it."""
    held, settled = stock.holds.get(order_id), stock.settled.get(order_id)
    return (0 if held is None else held.quantity) + (0 if settled is None else settled.quantity)


def _faults_of_order_id(order_id: str) -> Iterator[StockFact]:
    if not is_name(order_id):
        yield StockFact.BAD_ORDER_ID


def _facts_of_reserve(stock: Stock, reserve: Reserve, now: datetime) -> Iterator[StockFact]:
    yield from _faults_of_order_id(reserve.order_id)
    held = stock.holds.get(reserve.order_id)
    if held is not None and held.quantity == reserve.quantity:
        yield StockFact.SAME_QUANTITY
    if reserve.quantity < 1:
        yield StockFact.BAD_QUANTITY
    if reserve.until <= now:
        yield StockFact.OVERDUE
    if len(stock.holds) >= MOST_HOLDS:
        yield StockFact.CROWDED
    if reserve.quantity > stock.on_hand:
        yield StockFact.SHORT


def _noted(stock: Stock, message: StockMessage, note: StockNote, now: datetime) -> Stock:
    match note, message:
        case StockNote.RESTOCK, Restock(quantity=quantity):
            return replace(stock, on_hand=stock.on_hand + quantity, restocked=stock.restocked + quantity)
        case StockNote.HOLD, Reserve(order_id=order_id, quantity=quantity):
            holds = {**stock.holds, order_id: Hold(quantity=quantity, since=now)}
            return replace(stock, on_hand=stock.on_hand - quantity, reserved=stock.reserved + quantity, holds=holds)
        case StockNote.SELL, Sell(order_id=order_id):
            return _sold(stock, order_id, now)
        case StockNote.RELEASE, Release(order_id=order_id) | Return(order_id=order_id):
            return _released(stock, order_id, now)
        case _:
            text = f"the table notes {note.name} of {type(message).__name__}, which does not say it"
            raise TypeError(text)


def _sold(stock: Stock, order_id: str, now: datetime) -> Stock:
    quantity = stock.holds[order_id].quantity
    settled = {**stock.settled, order_id: Settled(how=Settlement.SOLD, quantity=quantity, at=now)}
    return replace(
        stock,
        reserved=stock.reserved - quantity,
        sold=stock.sold + quantity,
        holds=_without(stock.holds, order_id),
        settled=settled,
    )


def _released(stock: Stock, order_id: str, now: datetime) -> Stock:
    """Whatever the order has, held or sold, is on hand again; the settlement becomes the youngest."""
    held, settled = stock.holds.get(order_id), stock.settled.get(order_id)
    reserved = 0 if held is None else held.quantity
    sold = 0 if settled is None else settled.quantity
    earlier = {known: each for known, each in stock.settled.items() if known != order_id}
    return replace(
        stock,
        on_hand=stock.on_hand + reserved + sold,
        reserved=stock.reserved - reserved,
        sold=stock.sold - sold,
        holds=_without(stock.holds, order_id),
        settled={**earlier, order_id: Settled(how=Settlement.RELEASED, quantity=0, at=now)},
    )


def _without(holds: Mapping[str, Hold], order_id: str) -> dict[str, Hold]:
    return {known: hold for known, hold in holds.items() if known != order_id}


def _forgetting(stock: Stock, now: datetime, memory: Memory) -> Stock:
    """The SKU without what it need not remember: settlements are in order of time, so the first ones go."""
    horizon = now - timedelta(seconds=memory.seconds)
    past = sum(1 for _ in takewhile(lambda each: each.at < horizon, stock.settled.values()))
    gone = max(past, len(stock.settled) - memory.most)
    return stock if gone <= 0 else replace(stock, settled=dict(islice(stock.settled.items(), gone, None)))
