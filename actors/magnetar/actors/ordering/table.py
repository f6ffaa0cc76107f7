"""The life of an order as data: what comes of every message in every status."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Final, TypeAlias

from magnetar.actors.lifecycle import Lifecycle, Transition
from magnetar.schemas.commerce import (
    Cancel,
    NotReserved,
    NotSold,
    OrderOutcome,
    OrderStatus,
    PaymentOverdue,
    PaymentReceived,
    Place,
    Reserved,
    Sold,
    StockOverdue,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from magnetar.schemas import Message


class OrderFact(enum.Enum):
    """What may be true of a message, seen from the order."""

    NO_LINES = "no lines"
    TOO_MANY_LINES = "too many lines"
    BAD_SKU = "bad sku"
    DUPLICATE_SKU = "duplicate sku"
    BAD_QUANTITY = "bad quantity"
    BAD_PRICE = "bad price"
    BAD_CURRENCY = "bad or mixed currency"
    BAD_TOTAL = "total is nothing or too much"
    SAME_LINES = "the same lines"
    NEVER_PLACED = "never placed"
    STRANGER = "sku is not of this order"
    OTHER_QUANTITY = "not as many as the line has"
    REPEATED = "this answer is known"
    LAST_AND_PAID = "the last line, and paid"
    LAST = "the last line"
    LINE_SOLD = "the line is sold"
    SOLD_OUT = "there are not enough"
    PAID = "paid already"


class OrderNote(enum.Enum):
    """What an order writes down."""

    LINES = "the lines, the total, and when"
    LINE_RESERVED = "this line is reserved"
    LINE_REFUSED = "this line is refused"
    LINE_SOLD = "this line is sold"
    PAYMENT = "which capture paid it"


class OrderAct(enum.Enum):
    """What an order tells others, or itself for later."""

    RESERVE_LINES = "ask stock to reserve every line"
    SELL_LINES = "ask stock to sell every line"
    RELEASE_LINES = "ask stock to release every line that it did not refuse"
    RETURN_LINES = "ask stock to take every line back"
    RELEASE_THIS = "ask stock to release the SKU that the message names"
    RETURN_THIS = "ask stock to take back the SKU that the message names"
    REQUEST_PAYMENT = "tell payments what is due"
    CLOSE_PAYMENT = "ask payments to send everything back"
    WAIT_FOR_STOCK = "start the time-out of stock"
    WAIT_FOR_PAYMENT = "start the time-out of the payment"
    STOP_WAITING_FOR_STOCK = "drop the time-out of stock"
    STOP_WAITING_FOR_PAYMENT = "drop the time-out of the payment"
    SAY_CONFIRMED = "publish OrderConfirmed"
    SAY_CANCELLED = "publish OrderCancelled"
    SAY_REFUSED = "publish OrderRefused"


OrderTransition: TypeAlias = Transition[OrderStatus, OrderOutcome, OrderFact, OrderNote, OrderAct]
OrderLifecycle: TypeAlias = Lifecycle[OrderStatus, OrderOutcome, OrderFact, OrderNote, OrderAct]

if TYPE_CHECKING:
    Row: TypeAlias = Mapping[type[Message], Sequence[OrderTransition]]

_S, _O, _F, _N, _A = OrderStatus, OrderOutcome, OrderFact, OrderNote, OrderAct
_BACK: Final = (_A.RELEASE_LINES, _A.CLOSE_PAYMENT, _A.SAY_CANCELLED)
_RETURNED: Final = (_A.RETURN_LINES, _A.CLOSE_PAYMENT, _A.SAY_CANCELLED)
_STOCK_STOP: Final = _A.STOP_WAITING_FOR_STOCK
_PAYMENT_STOP: Final = _A.STOP_WAITING_FOR_PAYMENT
_REFUSED: Final = (_A.CLOSE_PAYMENT, _A.SAY_REFUSED)


def _then(
    outcome: OrderOutcome,
    *does: OrderAct,
    to: OrderStatus | None = None,
    when: OrderFact | None = None,
    notes: OrderNote | None = None,
) -> OrderTransition:
    return Transition(outcome, to, when, notes, does)


def _refused(outcome: OrderOutcome, when: OrderFact) -> OrderTransition:
    return _then(outcome, *_REFUSED, to=_S.REFUSED, when=when)


_PLACED_ALREADY: Final = (_then(_O.PLACED_AGAIN, when=_F.SAME_LINES), _then(_O.PLACED_DIFFERENTLY))
# A SKU that can be no key can be sent nothing; only a stranger on stock's topic would name one.
_NAMELESS: Final = _then(_O.STRANGER_LINE, when=_F.BAD_SKU)
_NOT_OURS_HELD: Final = (_NAMELESS, _then(_O.STRANGER_LINE, _A.RELEASE_THIS, when=_F.STRANGER))
_NOT_OURS_SOLD: Final = (_NAMELESS, _then(_O.STRANGER_LINE, _A.RETURN_THIS, when=_F.STRANGER))
_NOT_OURS: Final = _then(_O.STRANGER_LINE, when=_F.STRANGER)
_CONTRADICTED: Final = (_NOT_OURS, _then(_O.STOCK_CONTRADICTED))

_NEW: Final[Row] = {
    Place: (
        _refused(_O.REFUSED_EMPTY, _F.NO_LINES),
        _refused(_O.REFUSED_TOO_MANY_LINES, _F.TOO_MANY_LINES),
        _refused(_O.REFUSED_SKU, _F.BAD_SKU),
        _refused(_O.REFUSED_DUPLICATE_SKU, _F.DUPLICATE_SKU),
        _refused(_O.REFUSED_QUANTITY, _F.BAD_QUANTITY),
        _refused(_O.REFUSED_PRICE, _F.BAD_PRICE),
        _refused(_O.REFUSED_CURRENCY, _F.BAD_CURRENCY),
        _refused(_O.REFUSED_TOTAL, _F.BAD_TOTAL),
        _then(_O.PLACED, _A.RESERVE_LINES, _A.REQUEST_PAYMENT, _A.WAIT_FOR_STOCK, to=_S.RESERVING, notes=_N.LINES),
    ),
    Cancel: (_then(_O.CANCELLED_BEFORE_PLACED, _A.CLOSE_PAYMENT, _A.SAY_CANCELLED, to=_S.CANCELLED),),
    Reserved: (_NAMELESS, _then(_O.NEVER_PLACED, _A.RELEASE_THIS)),
    NotReserved: (_then(_O.NEVER_PLACED),),
    Sold: (_NAMELESS, _then(_O.NEVER_PLACED, _A.RETURN_THIS)),
    NotSold: (_then(_O.NEVER_PLACED),),
    PaymentReceived: (_then(_O.NEVER_PLACED, _A.CLOSE_PAYMENT),),
    StockOverdue: (_then(_O.NEVER_PLACED),),
    PaymentOverdue: (_then(_O.NEVER_PLACED),),
}

_RESERVING: Final[Row] = {
    Place: _PLACED_ALREADY,
    Cancel: (_then(_O.CANCELLED_BY_CUSTOMER, _STOCK_STOP, *_BACK, to=_S.CANCELLED),),
    Reserved: (
        *_NOT_OURS_HELD,
        _then(_O.RESERVED_DIFFERENTLY, _STOCK_STOP, *_BACK, to=_S.CANCELLED, when=_F.OTHER_QUANTITY),
        _then(_O.RESERVED_AGAIN, when=_F.REPEATED),
        _then(
            _O.ALL_RESERVED_AND_PAID, _STOCK_STOP, _A.SELL_LINES,
            to=_S.PAID, when=_F.LAST_AND_PAID, notes=_N.LINE_RESERVED,
        ),
        _then(
            _O.ALL_RESERVED, _STOCK_STOP, _A.WAIT_FOR_PAYMENT,
            to=_S.AWAITING_PAYMENT, when=_F.LAST, notes=_N.LINE_RESERVED,
        ),
        _then(_O.LINE_RESERVED, notes=_N.LINE_RESERVED),
    ),
    NotReserved: (
        _NOT_OURS,
        _then(_O.STOCK_CONTRADICTED, when=_F.REPEATED),
        _then(_O.OUT_OF_STOCK, _STOCK_STOP, *_BACK, to=_S.CANCELLED, when=_F.SOLD_OUT, notes=_N.LINE_REFUSED),
        _then(_O.STOCK_REFUSED, _STOCK_STOP, *_BACK, to=_S.CANCELLED),
    ),
    Sold: (*_NOT_OURS_SOLD, _then(_O.SOLD_UNASKED, _STOCK_STOP, *_RETURNED, to=_S.CANCELLED)),
    NotSold: _CONTRADICTED,
    PaymentReceived: (_then(_O.PAID_AGAIN, when=_F.PAID), _then(_O.PAID_EARLY, notes=_N.PAYMENT)),
    StockOverdue: (_then(_O.STOCK_OVERDUE, *_BACK, to=_S.CANCELLED),),
    PaymentOverdue: (_then(_O.TIMER_TOO_LATE),),
}  # fmt: skip

_AWAITING_PAYMENT: Final[Row] = {
    Place: _PLACED_ALREADY,
    Cancel: (_then(_O.CANCELLED_BY_CUSTOMER, _PAYMENT_STOP, *_BACK, to=_S.CANCELLED),),
    Reserved: (
        *_NOT_OURS_HELD,
        _then(_O.RESERVED_DIFFERENTLY, _PAYMENT_STOP, *_BACK, to=_S.CANCELLED, when=_F.OTHER_QUANTITY),
        _then(_O.RESERVED_AGAIN),
    ),
    NotReserved: _CONTRADICTED,
    Sold: (*_NOT_OURS_SOLD, _then(_O.SOLD_UNASKED, _PAYMENT_STOP, *_RETURNED, to=_S.CANCELLED)),
    NotSold: _CONTRADICTED,
    PaymentReceived: (_then(_O.PAID, _PAYMENT_STOP, _A.SELL_LINES, to=_S.PAID, notes=_N.PAYMENT),),
    StockOverdue: (_then(_O.TIMER_TOO_LATE),),
    PaymentOverdue: (_then(_O.PAYMENT_OVERDUE, *_BACK, to=_S.CANCELLED),),
}

_PAID: Final[Row] = {
    Place: _PLACED_ALREADY,
    Cancel: (_then(_O.CANCEL_TOO_LATE),),
    # What is held for a line that is sold is held beyond need; stock never releases what it has sold.
    Reserved: (
        *_NOT_OURS_HELD,
        _then(_O.RESERVED_AGAIN, _A.RELEASE_THIS, when=_F.LINE_SOLD),
        _then(_O.RESERVED_AGAIN),
    ),
    NotReserved: _CONTRADICTED,
    Sold: (
        *_NOT_OURS_SOLD,
        _then(_O.SOLD_AGAIN, when=_F.REPEATED),
        _then(_O.SOLD_DIFFERENTLY, *_RETURNED, to=_S.CANCELLED, when=_F.OTHER_QUANTITY),
        _then(_O.CONFIRMED, _A.SAY_CONFIRMED, to=_S.CONFIRMED, when=_F.LAST, notes=_N.LINE_SOLD),
        _then(_O.LINE_SOLD, notes=_N.LINE_SOLD),
    ),
    NotSold: (
        _NOT_OURS,
        _then(_O.STOCK_CONTRADICTED, when=_F.REPEATED),
        _then(_O.SALE_FAILED, *_RETURNED, to=_S.CANCELLED),
    ),
    PaymentReceived: (_then(_O.PAID_AGAIN),),
    StockOverdue: (_then(_O.TIMER_TOO_LATE),),
    PaymentOverdue: (_then(_O.TIMER_TOO_LATE),),
}

_CONFIRMED: Final[Row] = {
    Place: _PLACED_ALREADY,
    Cancel: (_then(_O.CANCEL_TOO_LATE),),
    Reserved: (*_NOT_OURS_HELD, _then(_O.RESERVED_AGAIN, _A.RELEASE_THIS)),
    NotReserved: _CONTRADICTED,
    Sold: (*_NOT_OURS_SOLD, _then(_O.SOLD_AGAIN)),
    NotSold: _CONTRADICTED,
    PaymentReceived: (_then(_O.PAID_AGAIN),),
    StockOverdue: (_then(_O.TIMER_TOO_LATE),),
    PaymentOverdue: (_then(_O.TIMER_TOO_LATE),),
}

_CANCELLED: Final[Row] = {
    Place: (_then(_O.PLACED_TOO_LATE, when=_F.NEVER_PLACED), *_PLACED_ALREADY),
    Cancel: (_then(_O.CANCELLED_AGAIN),),
}

_ALREADY_REFUSED: Final[Row] = {
    Place: (_then(_O.ALREADY_REFUSED),),
    Cancel: (_then(_O.ALREADY_REFUSED),),
}

# An order that has ended without a sale keeps nothing: whatever still comes in is sent back at once.
_NOTHING_KEPT: Final[Row] = {
    Reserved: (_NAMELESS, _then(_O.RESERVED_TOO_LATE, _A.RELEASE_THIS)),
    NotReserved: (_then(_O.ANSWERED_TOO_LATE),),
    Sold: (_NAMELESS, _then(_O.SOLD_TOO_LATE, _A.RETURN_THIS)),
    NotSold: (_then(_O.ANSWERED_TOO_LATE),),
    PaymentReceived: (_then(_O.PAID_TOO_LATE, _A.CLOSE_PAYMENT),),
    StockOverdue: (_then(_O.TIMER_TOO_LATE),),
    PaymentOverdue: (_then(_O.TIMER_TOO_LATE),),
}

ORDER_LIFECYCLE: Final[OrderLifecycle] = Lifecycle(
    "orders",
    OrderStatus,
    (Place, Cancel, Reserved, NotReserved, Sold, NotSold, PaymentReceived, StockOverdue, PaymentOverdue),
    {
        (_S.NEW,): _NEW,
        (_S.RESERVING,): _RESERVING,
        (_S.AWAITING_PAYMENT,): _AWAITING_PAYMENT,
        (_S.PAID,): _PAID,
        (_S.CONFIRMED,): _CONFIRMED,
        (_S.CANCELLED,): _CANCELLED,
        (_S.REFUSED,): _ALREADY_REFUSED,
        (_S.CANCELLED, _S.REFUSED): _NOTHING_KEPT,
    },
)
