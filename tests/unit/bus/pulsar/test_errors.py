"""Every result of the client has one error of ours."""

from __future__ import annotations

import pytest

from magnetar.runtime.bus.port import BusError, BusUnavailable, Busy, Closed, Refused, SchemaRefused, TopicMissing
from magnetar.runtime.bus.pulsar import errors, native
from tests.unit.bus.pulsar.client_double import Result


def test_every_result_is_placed() -> None:
    """A new version of the client that knows more results fails here, and somebody decides."""
    assert set(errors.KIND_OF) == native.RESULT_NAMES - {"Ok"}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("ConsumerBusy", Busy),
        ("ProducerBusy", Busy),
        ("Timeout", BusUnavailable),
        ("ConnectError", BusUnavailable),
        ("TopicNotFound", TopicMissing),
        ("IncompatibleSchema", SchemaRefused),
        ("MessageTooBig", Refused),
        ("AuthorizationError", Refused),
        ("AlreadyClosed", Closed),
        ("SomethingNew", BusUnavailable),
    ],
)
def test_a_result_becomes_an_error_that_says_what_to_do(name: str, kind: type[BusError]) -> None:
    """The text has what was asked, what the client said, and a remedy."""
    error = errors.from_result(Result(name), "send 7 to orders/3")
    assert type(error) is kind
    assert str(error).startswith(f"send 7 to orders/3: {name}; ")


def test_an_exception_of_the_client_is_the_same_as_its_result() -> None:
    """The classes of the C++ root bear the names of the results."""
    assert type(errors.from_exception(native.Timeout("x"), "end of orders/3")) is BusUnavailable
    assert type(errors.from_exception(native.AlreadyClosed("x"), "end of orders/3")) is Closed


def test_a_long_text_is_cut() -> None:
    """The broker may answer with a stack trace and two schemas."""

    class Failed:
        error = Result("IncompatibleSchema")
        message = "x" * 10_000

    assert len(str(errors.from_error(Failed(), "open"))) < 1000
