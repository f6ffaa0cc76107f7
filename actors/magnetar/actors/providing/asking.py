"""A provider, asked in its own language over any line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote

import msgspec

from magnetar.actors.providing import wire
from magnetar.actors.providing.answers import fitting, is_nothing_known, receipt
from magnetar.actors.providing.port import Deed, Receipt, checked_key

if TYPE_CHECKING:
    from magnetar.actors.providing.answers import Answer
    from magnetar.actors.providing.port import Charge, Refund


class Line(Protocol):
    """Carries a question to the provider and its answer back."""

    def ask(self, method: str, path: str, key: str, body: bytes) -> Answer:
        """The whole answer. Raises `NotSent` when nothing has left, `Unsure` when no whole answer came."""
        ...


class Asking:
    """See `Provider`."""

    def __init__(self, line: Line) -> None:
        """Asks over this line."""
        self._line = line

    def charge(self, key: str, asked: Charge) -> Receipt:
        """See `Provider`."""
        body = wire.ChargeBody(asked.order_id, asked.amount.amount, asked.amount.currency)
        return fitting(key, receipt(self._post(wire.CHARGES, key, body)), Deed.CHARGED, asked)

    def refund(self, key: str, asked: Refund) -> Receipt:
        """See `Provider`."""
        body = wire.RefundBody(asked.order_id, asked.reference, asked.amount.amount, asked.amount.currency)
        return fitting(key, receipt(self._post(wire.REFUNDS, key, body)), Deed.REFUNDED, asked)

    def cancel(self, key: str) -> Receipt | None:
        """See `Provider`."""
        return receipt(self._line.ask("POST", wire.CANCELLATIONS, checked_key(key), b""))

    def look_up(self, key: str) -> Receipt | None:
        """See `Provider`."""
        answer = self._line.ask("GET", f"{wire.OPERATIONS}/{quote(checked_key(key), safe='')}", key, b"")
        return None if is_nothing_known(answer) else receipt(answer)

    def _post(self, path: str, key: str, body: msgspec.Struct) -> Answer:
        return self._line.ask("POST", path, checked_key(key), msgspec.json.encode(body))
