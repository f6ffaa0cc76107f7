"""The provider's language over HTTP: paths, bodies and codes. Adapter and emulator speak it, the guide explains it."""

from __future__ import annotations

from typing import Final, TypeAlias

import msgspec

CHARGES: Final = "/v1/charges"
REFUNDS: Final = "/v1/refunds"
CANCELLATIONS: Final = "/v1/cancellations"
OPERATIONS: Final = "/v1/operations"
KEY_HEADER: Final = "Idempotency-Key"

MOST_BODY: Final = 16_384
"""Bytes of a body, in either direction."""

KEY_REUSED: Final = "key_reused"
NOTHING_KNOWN: Final = "nothing_known"
CANCELLED: Final = "cancelled"


class ChargeBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /v1/charges`."""

    order_id: str
    amount: int
    currency: str


class RefundBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /v1/refunds`. `charge`: the provider's name for the charge."""

    order_id: str
    charge: str
    amount: int
    currency: str


class Charged(msgspec.Struct, frozen=True, tag_field="deed", tag="charged"):
    """200: money was taken under the key, which is repeated so that an answer is never taken for another question's."""

    key: str
    reference: str
    amount: int
    currency: str


class Refunded(msgspec.Struct, frozen=True, tag_field="deed", tag="refunded"):
    """200: money was given back under the key."""

    key: str
    reference: str
    amount: int
    currency: str


class Cancelled(msgspec.Struct, frozen=True, tag_field="deed", tag="cancelled"):
    """200 to a cancellation: nothing was done under the key, and nothing will be."""

    key: str


Answered: TypeAlias = Charged | Refunded | Cancelled


class Fault(msgspec.Struct, frozen=True):
    """Why not. `final`: under this key it never will be, whatever happens."""

    code: str
    message: str = ""
    final: bool = False


class Faulty(msgspec.Struct, frozen=True):
    """Every answer that is no 200. `key` is missing where the question's was not understood."""

    error: Fault
    key: str | None = None
