"""From a request to a question, and from an entry to an answer; pure."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar
from urllib.parse import unquote

import msgspec

from magnetar.actors.providing import wire
from magnetar.actors.providing.emulator.book import Asked  # noqa: TC001 - a field
from magnetar.actors.providing.port import Charge, Refund, checked_key
from magnetar.schemas import Money

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.actors.providing.emulator.book import Entry

B = TypeVar("B", wire.ChargeBody, wire.RefundBody)
JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class Do:
    """Do this, once for the key."""

    key: str
    asked: Asked


@dataclass(frozen=True, slots=True)
class Cancel:
    """Do nothing under the key any more."""

    key: str


@dataclass(frozen=True, slots=True)
class LookUp:
    """What was done under the key?"""

    key: str


Question: TypeAlias = Do | Cancel | LookUp


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back."""

    status: int
    body: bytes
    kind: str = JSON
    wait: int | None = None


class Senseless(Exception):
    """A request that is no question: nothing was done, and repeating it cannot help. `reply` says so."""

    def __init__(self, reply: Reply) -> None:
        """What to answer."""
        super().__init__(reply)
        self.reply = reply


def question(method: str, path: str, key: str, body: bytes) -> Question:
    """What is asked. `key`: as its header says, empty where there is none. Raises `Senseless`."""
    if method == "GET" and path.startswith(f"{wire.OPERATIONS}/"):
        return LookUp(_key(unquote(path.removeprefix(f"{wire.OPERATIONS}/"))))
    if method != "POST" or path not in {wire.CHARGES, wire.REFUNDS, wire.CANCELLATIONS}:
        raise Senseless(faulty(HTTPStatus.NOT_FOUND, None, "no_such_page", f"{method} {path[:100]} is nothing here"))
    checked = _key(key)
    match path:
        case wire.CHARGES:
            charge = _read(checked, body, wire.ChargeBody)
            _checked(checked, lambda: Charge(charge.order_id, Money(charge.amount, charge.currency)))
            return Do(checked, charge)
        case wire.REFUNDS:
            refund = _read(checked, body, wire.RefundBody)
            _checked(checked, lambda: Refund(refund.order_id, refund.charge, Money(refund.amount, refund.currency)))
            return Do(checked, refund)
        case _:
            return Cancel(checked)


def told(entry: Entry) -> Reply:
    """What the entry of its key is answered with, the first time and ever after."""
    match entry.what:
        case "refused":
            return faulty(HTTPStatus.PAYMENT_REQUIRED, entry.key, entry.code, "declined", final=True)
        case "cancelled":
            return faulty(HTTPStatus.GONE, entry.key, wire.CANCELLED, "the key was cancelled", final=True)
        case "charged":
            return _ok(wire.Charged(entry.key, entry.reference, entry.amount, entry.currency))
        case "refunded":
            return _ok(wire.Refunded(entry.key, entry.reference, entry.amount, entry.currency))


def told_of_cancelling(entry: Entry) -> Reply:
    """What a cancellation is answered with: the charge that came before it, or that there is and will be none."""
    return told(entry) if entry.what == "charged" else _ok(wire.Cancelled(entry.key))


def faulty(
    status: int, key: str | None, code: str, message: str, *, final: bool = False, wait: int | None = None
) -> Reply:
    """An error in the provider's words."""
    said = wire.Faulty(wire.Fault(code, message, final), key)
    return Reply(status, msgspec.json.encode(said), wait=wait)


def _ok(said: wire.Answered) -> Reply:
    return Reply(HTTPStatus.OK, msgspec.json.encode(said))


def _key(text: str) -> str:
    try:
        return checked_key(text)
    except ValueError as failure:
        raise Senseless(faulty(HTTPStatus.BAD_REQUEST, None, "bad_key", str(failure))) from failure


def _read(key: str, body: bytes, kind: type[B]) -> B:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as failure:
        raise Senseless(faulty(HTTPStatus.BAD_REQUEST, key, "bad_body", str(failure))) from failure


def _checked(key: str, make: Callable[[], object]) -> None:
    try:
        make()
    except ValueError as failure:
        raise Senseless(faulty(HTTPStatus.BAD_REQUEST, key, "bad_body", str(failure))) from failure
