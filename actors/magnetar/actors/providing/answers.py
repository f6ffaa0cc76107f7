"""What may be concluded from a provider's answer; pure. The one thing to get right here is what is *not* known.

- A receipt, and a refusal, count where the body repeats the key, in this provider's own words.
- A 4xx that does not say that it is final may come from something between, or be about an earlier question with the key
  that is still under way: it decides nothing. Neither does any 5xx or 3xx, whatever it says.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import msgspec

from magnetar.actors.providing import wire
from magnetar.actors.providing.errors import Contradicted, Doubt, NotAdmitted, ProviderError, Refused, Unsure
from magnetar.actors.providing.port import Deed, Receipt
from magnetar.schemas import Money

if TYPE_CHECKING:
    from collections.abc import Mapping

    from magnetar.actors.providing.port import Charge, Refund

_LONGEST: Final = 200
_DOUBTS: Final[Mapping[int, Doubt]] = {
    HTTPStatus.CONFLICT: Doubt.IN_HAND,
    HTTPStatus.TOO_MANY_REQUESTS: Doubt.BUSY,
    HTTPStatus.SERVICE_UNAVAILABLE: Doubt.BUSY,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer to the question with this key. `wait`: seconds that it asks us to wait, or None."""

    key: str
    status: int
    body: bytes
    wait: float | None = None


def receipt(answer: Answer) -> Receipt | None:
    """What was done; None for a cancelled key. Raises what `fault` returns for an answer that is no receipt."""
    if answer.status != HTTPStatus.OK:
        raise fault(answer)
    try:
        said = msgspec.json.decode(answer.body, type=wire.Answered)
    except msgspec.DecodeError as failure:
        raise Unsure(answer.key, Doubt.UNREADABLE, f"200, {failure}", answer.wait) from failure
    if said.key != answer.key:
        raise _astray(answer, said.key)
    if isinstance(said, wire.Cancelled):
        return None
    deed = Deed.CHARGED if isinstance(said, wire.Charged) else Deed.REFUNDED
    return Receipt(deed, said.reference, Money(said.amount, said.currency))


def fitting(key: str, found: Receipt | None, deed: Deed, asked: Charge | Refund) -> Receipt:
    """The receipt, if it is for what was asked. Raises `Contradicted`."""
    if found is None:
        raise Contradicted(key, f"{asked} is answered as cancelled, with success")
    if found.deed is not deed or found.amount != asked.amount:
        raise Contradicted(key, f"{asked} is answered with {found}")
    return found


def is_nothing_known(answer: Answer) -> bool:
    """Whether the provider itself says that it knows nothing of the key: not just that there is no such page."""
    said = _said(answer)
    if said is None or answer.status != HTTPStatus.NOT_FOUND:
        return False
    return said.key == answer.key and said.error.code == wire.NOTHING_KNOWN


def fault(answer: Answer) -> ProviderError:
    """What an answer that is no success means."""
    if answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return NotAdmitted(answer.key, answer.status)
    said = _said(answer)
    if said is None:
        return _doubt(answer, "no error of this provider")
    if said.key is not None and said.key != answer.key:
        return _astray(answer, said.key)
    if said.key is None or not HTTPStatus.BAD_REQUEST <= answer.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return _doubt(answer, _words(f"{said.error.code}: {said.error.message}"))
    return _understood(answer, said.error)


def _understood(answer: Answer, error: wire.Fault) -> ProviderError:
    """The provider itself speaks of this very key, and blames the question."""
    words = _words(f"{error.code}: {error.message}")
    if error.code == wire.KEY_REUSED:
        return Contradicted(answer.key, f"the provider knows the key for something else ({words})")
    if error.final:
        return Refused(answer.key, _words(error.code), _words(error.message))
    return _doubt(answer, words)


def _said(answer: Answer) -> wire.Faulty | None:
    try:
        return msgspec.json.decode(answer.body, type=wire.Faulty)
    except msgspec.DecodeError:
        return None


def _doubt(answer: Answer, words: str) -> Unsure:
    server = answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    doubt = _DOUBTS.get(answer.status, Doubt.FAILED if server else Doubt.UNREADABLE)
    return Unsure(answer.key, doubt, f"{answer.status}, {words}", answer.wait)


def _astray(answer: Answer, other: str) -> Unsure:
    return Unsure(answer.key, Doubt.ASTRAY, f"it names key {_words(other)}", answer.wait)


def _words(text: str) -> str:
    """A stranger's text as part of a line of ours."""
    printable = "".join(sign if sign.isprintable() else " " for sign in text)
    return " ".join(printable.split())[:_LONGEST]
