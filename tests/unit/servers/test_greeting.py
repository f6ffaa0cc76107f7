"""A query in the protocol's own words, to servers that answer, refuse, or speak something else."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from magnetar.runtime.servers import ports
from magnetar.runtime.servers.greeting import ailing, wait_until_well


def message(kind: bytes, body: bytes = b"") -> bytes:
    """As the server sends it."""
    return kind + struct.pack("!I", 4 + len(body)) + body


TRUSTED = message(b"R", bytes(4)) + message(b"S", b"TimeZone\0UTC\0") + message(b"Z", b"I")
ANSWER = message(b"T", b"\0\0") + message(b"D", b"\0\0") + message(b"C", b"SELECT 1\0") + message(b"Z", b"I")


@contextmanager
def server_that_says(*answers: bytes) -> Generator[int]:
    """A server on the port yielded: it reads something, says the next answer, and closes after the last."""

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            for answer in answers:
                connection.recv(1000)
                connection.sendall(answer)

    with socket.create_server((ports.HOST, 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(20)


def complaint_of(*answers: bytes) -> str:
    """What is wrong with a server that says this."""
    with server_that_says(*answers) as port:
        return ailing(ports.HOST, port, "magnetar", "magnetar", 20)


@pytest.mark.parametrize(
    ("answers", "complaint"),
    [
        ((TRUSTED, ANSWER), ""),
        ((TRUSTED, message(b"Z", b"I")), "answered a query with nothing"),
        ((TRUSTED, message(b"E", b"SERROR\0Mout of cheese\0\0")), "out of cheese"),
        ((message(b"E", b"SFATAL\0\0"),), "without a text"),
        ((message(b"R", struct.pack("!I", 10)),), "asks for a password"),
        ((b"HTTP/1.1 400 Bad Request\r\n",), "does not speak"),
        ((b"R\0\0\0\2",), "does not speak"),
        ((TRUSTED[:7],), "closed the connection"),
        ((b"",), "closed the connection"),
    ],
)
def test_what_is_wrong_is_said(answers: tuple[bytes, ...], complaint: str) -> None:
    """Only an answered query is well; everything else is told apart."""
    said = complaint_of(*answers)
    assert complaint in said
    assert bool(said) == bool(complaint)


def test_nobody_there_is_said() -> None:
    """A refused connection is a complaint, not an exception."""
    assert "ConnectionRefused" in ailing(ports.HOST, ports.any_free("test"), "magnetar", "magnetar")


def test_waiting_ends_with_the_server() -> None:
    """It does not wait for a deadline that is far away, and gives the last complaint."""
    complaints = iter(["first", "second", "third"])
    alive = iter([True, False])
    assert wait_until_well(lambda: next(complaints), lambda: next(alive), 1000) == "second"
    assert wait_until_well(lambda: "late", lambda: True, 0.0) == "late"
    assert wait_until_well(lambda: "", lambda: False, 0.0) == ""
