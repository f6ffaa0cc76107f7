"""Whether a PostgreSQL answers: one query, in the protocol's own words, so that no client library is needed.

Messages are a letter, a length of four bytes that counts itself, and a body; only the first one has no letter.
"""

from __future__ import annotations

import socket
import struct
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_VERSION_3 = 196608
_POLL_SECONDS = 0.02
_ANSWER_SECONDS = 5.0
_LENGTH_BYTES = 4
_LONGEST = 1 << 20


class Unwell(Exception):
    """The server said something else than an answer; the text is for a human."""


def ailing(host: str, port: int, database: str, user: str, within: float = _ANSWER_SECONDS) -> str:
    """What is wrong with the server: '' once it has answered a query, for a user whom it trusts without a password."""
    try:
        with socket.create_connection((host, port), timeout=max(0.05, within)) as connection:
            _ask(connection, database, user)
    except (OSError, Unwell) as problem:
        return f"{type(problem).__name__}: {problem}"
    return ""


def wait_until_well(ask: Callable[[], str], alive: Callable[[], bool], within: float) -> str:
    """Ask again and again until '' is answered; the last complaint when time or the server ended."""
    deadline = time.monotonic() + within
    while complaint := ask():
        if time.monotonic() >= deadline or not alive():
            return complaint
        time.sleep(_POLL_SECONDS)
    return ""


def _ask(connection: socket.socket, database: str, user: str) -> None:
    wishes = b"".join(word.encode() + b"\0" for word in ("user", user, "database", database)) + b"\0"
    connection.sendall(struct.pack("!II", 8 + len(wishes), _VERSION_3) + wishes)
    _until_idle(connection)
    question = b"SELECT 1\0"
    connection.sendall(b"Q" + struct.pack("!I", 4 + len(question)) + question)
    if b"D" not in _until_idle(connection):
        raise Unwell("it answered a query with nothing")
    connection.sendall(b"X" + struct.pack("!I", 4))


def _until_idle(connection: socket.socket) -> set[bytes]:
    """The kinds of messages that came until the server waits for a query. Raises `Unwell` with its complaint."""
    kinds: set[bytes] = set()
    while b"Z" not in kinds:
        kind, body = _message(connection)
        if kind == b"E":
            raise Unwell(_complaint(body))
        if kind == b"R" and body[:4] != bytes(4):
            raise Unwell("it asks for a password")
        kinds.add(kind)
    return kinds


def _message(connection: socket.socket) -> tuple[bytes, bytes]:
    head = _exactly(connection, 5)
    (length,) = struct.unpack("!I", head[1:])
    if not _LENGTH_BYTES <= length <= _LONGEST:
        raise Unwell("it does not speak PostgreSQL's protocol")
    return head[:1], _exactly(connection, length - _LENGTH_BYTES)


def _exactly(connection: socket.socket, count: int) -> bytes:
    got = b""
    while len(got) < count:
        if not (more := connection.recv(count - len(got))):
            raise Unwell("it closed the connection")
        got += more
    return got


def _complaint(body: bytes) -> str:
    """The text among an error's fields, each of which is a letter and a text."""
    fields = {field[:1]: field[1:] for field in body.split(b"\0") if field}
    return fields.get(b"M", b"an error without a text").decode(errors="replace")
