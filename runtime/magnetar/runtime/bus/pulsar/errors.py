"""What the client or the broker says, as a `BusError`: the one place where that is decided.

Failures come in three shapes: an exception of the C++ root (blocking calls), an `Error` with a text (openings),
and a bare result code (receipts). All three carry one of the client's result names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.runtime.bus.port import BusError, BusUnavailable, Busy, Closed, Refused, SchemaRefused, TopicMissing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from magnetar.runtime.bus.pulsar.native import NativeError, NativeResult

_LONGEST = 500  # characters of the broker's text: it may hold a stack trace and both schemas

_KINDS: Mapping[type[BusError], tuple[str, ...]] = {
    Busy: ("ConsumerBusy", "ProducerBusy"),
    TopicMissing: ("TopicNotFound", "SubscriptionNotFound"),
    SchemaRefused: ("IncompatibleSchema",),
    Closed: ("AlreadyClosed", "ProducerFenced"),
    Refused: (
        "AuthenticationError",
        "AuthorizationError",
        "ConsumerAssignError",
        "CryptoError",
        "CumulativeAcknowledgementNotAllowedError",
        "ErrorGettingAuthenticationData",
        "InvalidConfiguration",
        "InvalidMessage",
        "InvalidTopicName",
        "InvalidUrl",
        "MessageTooBig",
        "NotAllowedError",
        "OperationNotSupported",
        "ProducerBlockedQuotaExceededError",
        "ProducerBlockedQuotaExceededException",
        "TopicTerminated",
        "UnsupportedVersionError",
    ),
    BusUnavailable: (
        "BrokerMetadataError",
        "BrokerPersistenceError",
        "ChecksumError",
        "ConnectError",
        "ConsumerNotFound",
        "ConsumerNotInitialized",
        "Interrupted",
        "InvalidTxnStatusError",
        "LookupError",
        "MemoryBufferIsFull",
        "NotConnected",
        "ProducerNotInitialized",
        "ProducerQueueIsFull",
        "ReadError",
        "ServiceUnitNotReady",
        "Timeout",
        "TooManyLookupRequestException",
        "TransactionConflict",
        "TransactionCoordinatorNotFoundError",
        "TransactionNotFound",
        "UnknownError",
    ),
}
KIND_OF: Mapping[str, type[BusError]] = {name: kind for kind, names in _KINDS.items() for name in names}
"""The error for each of the client's result names; a unit test holds it complete."""

_REMEDY: Mapping[type[BusError], str] = {
    Busy: "another live client holds it; try again, each try makes the broker probe the holder",
    TopicMissing: "provision it with `magnetar topics apply`",
    SchemaRefused: "compare with `magnetar topics plan`; a changed schema must be able to read what is there",
    Closed: "open a new one",
    Refused: "repeating it cannot help",
    BusUnavailable: "whether it happened is unknown; ask again",
}

_NAMED_REMEDY: Mapping[str, str] = {
    "AuthorizationError": "the token's role may not do this: grant it to produce and consume there",
    "ConnectError": "whether it happened is unknown; ask again. If it stays so: is the address right, and does "
    "MAGNETAR_BUS_TRUST_CERTS hold the authority that signed the broker's certificate, and that the host's name?",
}


def from_exception(failure: Exception, doing: str) -> BusError:
    """The error for what a blocking call raised; `doing` says what was asked of which topic and partition."""
    return _error(type(failure).__name__, "", doing)


def from_error(failure: NativeError, doing: str) -> BusError:
    """The error for an opening that failed."""
    return _error(failure.error.name, failure.message, doing)


def from_result(result: NativeResult, doing: str) -> BusError:
    """The error for a send that failed."""
    return _error(result.name, "", doing)


def _error(name: str, text: str, doing: str) -> BusError:
    kind = KIND_OF.get(name, BusUnavailable)
    said = f"{name}, {text[:_LONGEST].strip()}" if text.strip() else name
    return kind(f"{doing}: {said}; {_NAMED_REMEDY.get(name, _REMEDY[kind])}")
