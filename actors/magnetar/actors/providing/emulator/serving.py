"""The provider's HTTP server: a thread for each connection, and how connections end."""

from __future__ import annotations

import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final

import msgspec

from magnetar.actors.providing import wire
from magnetar.actors.providing.emulator.conduct import Conduct
from magnetar.actors.providing.emulator.questions import Reply, Senseless, faulty, question

if TYPE_CHECKING:
    from socket import socket

    from magnetar.actors.providing.emulator.desk import Desk

CONTROL: Final = "/control"
_IDLE: Final = 60.0
_MOST_CONTROL: Final = 1_048_576


class Standing(msgspec.Struct, frozen=True):
    """What `GET /control` tells: how it behaves, and how many entries of each kind the log has."""

    conduct: Conduct
    counts: dict[str, int]


class EmulatorServer(ThreadingHTTPServer):
    """Serves a desk until it is shut down; every thread is a daemon, and goes with the process."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], desk: Desk) -> None:
        """Listens at once; port 0: any free one. Raises `OSError`."""
        super().__init__(address, _Handler)
        self.desk = desk

    @property
    def url(self) -> str:
        """Where it is."""
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"

    def handle_error(self, request: socket | tuple[bytes, socket], client_address: object) -> None:
        """An asker that has gone is none of our errors; everything else is told."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _IDLE
    wbufsize = -1  # head and body leave together: apart, the second waits 40 ms for an acknowledgement of the first
    server: EmulatorServer  # pyright: ignore[reportIncompatibleVariableOverride]
    server_version = "emulator"

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing: the log is what was done, and headers hold the token."""

    def _serve(self) -> None:
        try:
            replies = self._replies(self._body())
        except Senseless as senseless:
            replies = (senseless.reply,)
        for reply in replies:
            self._send(reply)
        self.close_connection = self.close_connection or not replies

    def _replies(self, body: bytes) -> tuple[Reply, ...]:
        if not self.server.desk.admits(self.headers.get("authorization") or ""):
            return (faulty(HTTPStatus.UNAUTHORIZED, None, "unknown_token", "a bearer token is needed"),)
        if self.path == CONTROL:
            return (self._control(body),)
        key = self.headers.get(wire.KEY_HEADER) or ""
        return self.server.desk.replies(question(self.command, self.path, key, body))

    def _body(self) -> bytes:
        """All of it. A body that is too long, or of unknown length, is not read, and the connection ends."""
        length = self.headers.get("content-length") or "0"
        most = _MOST_CONTROL if self.path == CONTROL else wire.MOST_BODY
        if not (length.isascii() and length.isdigit() and int(length) <= most) or "transfer-encoding" in self.headers:
            self.close_connection = True
            raise Senseless(faulty(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, None, "length", f"at most {most} bytes"))
        return self.rfile.read(int(length))

    def _control(self, body: bytes) -> Reply:
        behaving, bank = self.server.desk.behaving, self.server.desk.bank
        if self.command == "PUT":
            try:
                behaving.become(msgspec.json.decode(body, type=Conduct))
            except msgspec.DecodeError as failure:
                raise Senseless(faulty(HTTPStatus.BAD_REQUEST, None, "conduct", str(failure))) from failure
        return Reply(HTTPStatus.OK, msgspec.json.encode(Standing(behaving.conduct, bank.counts())))

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        self.send_header("content-type", reply.kind)
        self.send_header("content-length", str(len(reply.body)))
        if reply.wait is not None:
            self.send_header("retry-after", str(reply.wait))
        self.end_headers()
        self.wfile.write(reply.body)
