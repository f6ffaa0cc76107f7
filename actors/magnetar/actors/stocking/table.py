"""The life of one reservation (units of a SKU for an order) as data: what comes of every message in every status."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Final, TypeAlias

from magnetar.actors.lifecycle import Lifecycle, Transition
from magnetar.schemas.commerce import Release, Reserve, Restock, Return, Sell, StockOutcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from magnetar.schemas import Message


class ReservationStatus(enum.Enum):
    """What a SKU knows of one order. The last two are settled: remembered for a while, then forgotten."""

    UNKNOWN = "unknown"
    HELD = "held"
    SOLD = "sold"
    RELEASED = "released"


class StockFact(enum.Enum):
    """What may be true of a message, seen from the SKU."""

    BAD_ORDER_ID = "order id can be no key"
    BAD_QUANTITY = "bad quantity"
    SAME_QUANTITY = "the same quantity"
    OVERDUE = "the order has stopped waiting"
    CROWDED = "too many live reservations"
    SHORT = "there are not enough"


class StockNote(enum.Enum):
    """What a SKU writes down."""

    RESTOCK = "more on hand"
    HOLD = "units are put aside"
    SELL = "what was put aside is sold"
    RELEASE = "what was put aside or sold is on hand again"


class StockAct(enum.Enum):
    """What a SKU tells the order."""

    SAY_RESERVED = "publish Reserved"
    SAY_OUT_OF_STOCK = "publish NotReserved: out of stock"
    SAY_QUANTITY = "publish NotReserved: bad quantity"
    SAY_CONTRADICTION = "publish NotReserved: another quantity is held"
    SAY_SETTLED = "publish NotReserved: the reservation has ended"
    SAY_OVERDUE = "publish NotReserved: the order has stopped waiting"
    SAY_CROWDED = "publish NotReserved: too many live reservations"
    SAY_SOLD = "publish Sold"
    SAY_NOT_SOLD = "publish NotSold"


StockTransition: TypeAlias = Transition[ReservationStatus, StockOutcome, StockFact, StockNote, StockAct]
StockLifecycle: TypeAlias = Lifecycle[ReservationStatus, StockOutcome, StockFact, StockNote, StockAct]

if TYPE_CHECKING:
    Row: TypeAlias = Mapping[type[Message], Sequence[StockTransition]]

_S, _O, _F, _N, _A = ReservationStatus, StockOutcome, StockFact, StockNote, StockAct


def _then(
    outcome: StockOutcome,
    *does: StockAct,
    to: ReservationStatus | None = None,
    when: StockFact | None = None,
    notes: StockNote | None = None,
) -> StockTransition:
    return Transition(outcome, to, when, notes, does)


# To a stranger who names no possible order nothing can be answered.
_NOBODY: Final = _then(_O.REFUSED_ORDER_ID, when=_F.BAD_ORDER_ID)

# A delivery is of the SKU and of no order: it is the same in every status.
_EVERY: Final[Row] = {
    Restock: (_then(_O.REFUSED_QUANTITY, when=_F.BAD_QUANTITY), _then(_O.RESTOCKED, notes=_N.RESTOCK)),
}

_UNKNOWN: Final[Row] = {
    Reserve: (
        _NOBODY,
        _then(_O.REFUSED_QUANTITY, _A.SAY_QUANTITY, when=_F.BAD_QUANTITY),
        _then(_O.REFUSED_OVERDUE, _A.SAY_OVERDUE, when=_F.OVERDUE),
        _then(_O.REFUSED_CROWDED, _A.SAY_CROWDED, when=_F.CROWDED),
        _then(_O.OUT_OF_STOCK, _A.SAY_OUT_OF_STOCK, when=_F.SHORT),
        _then(_O.RESERVED, _A.SAY_RESERVED, to=_S.HELD, notes=_N.HOLD),
    ),
    Sell: (_NOBODY, _then(_O.SALE_REFUSED, _A.SAY_NOT_SOLD)),
    # The empty rollback: nothing is there to release, but the reservation that comes after it must find it settled.
    Release: (_NOBODY, _then(_O.RELEASED_NOTHING, to=_S.RELEASED, notes=_N.RELEASE)),
    Return: (_NOBODY, _then(_O.RETURNED_NOTHING, to=_S.RELEASED, notes=_N.RELEASE)),
}

_HELD: Final[Row] = {
    Reserve: (
        _then(_O.RESERVED_AGAIN, _A.SAY_RESERVED, when=_F.SAME_QUANTITY),
        _then(_O.RESERVED_DIFFERENTLY, _A.SAY_CONTRADICTION),
    ),
    Sell: (_then(_O.SOLD, _A.SAY_SOLD, to=_S.SOLD, notes=_N.SELL),),
    Release: (_then(_O.RELEASED, to=_S.RELEASED, notes=_N.RELEASE),),
    Return: (_then(_O.RETURNED, to=_S.RELEASED, notes=_N.RELEASE),),
}

# Whoever asks for something that a sale has overtaken is told the fact.
_SOLD: Final[Row] = {
    Reserve: (_then(_O.SOLD_AGAIN, _A.SAY_SOLD),),
    Sell: (_then(_O.SOLD_AGAIN, _A.SAY_SOLD),),
    Release: (_then(_O.KEPT_SOLD, _A.SAY_SOLD),),
    Return: (_then(_O.RETURNED, to=_S.RELEASED, notes=_N.RELEASE),),
}

_RELEASED: Final[Row] = {
    Reserve: (_then(_O.REFUSED_SETTLED, _A.SAY_SETTLED),),
    Sell: (_then(_O.SALE_REFUSED, _A.SAY_NOT_SOLD),),
    Release: (_then(_O.RELEASED_AGAIN),),
    Return: (_then(_O.RETURNED_AGAIN),),
}

STOCK_LIFECYCLE: Final[StockLifecycle] = Lifecycle(
    "stock",
    ReservationStatus,
    (Restock, Reserve, Sell, Release, Return),
    {
        tuple(ReservationStatus): _EVERY,
        (_S.UNKNOWN,): _UNKNOWN,
        (_S.HELD,): _HELD,
        (_S.SOLD,): _SOLD,
        (_S.RELEASED,): _RELEASED,
    },
)
