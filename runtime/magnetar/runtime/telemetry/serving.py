"""A few pages over HTTP, from threads that can never hold the worker up: bounded in number, in time, and in bytes.

Only GET and HEAD, only the paths that are given. Nothing is read but the head of a request, one for each connection.
"""

from __future__ import annotations

import io
import logging
import socket
import threading
import time
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from magnetar.runtime.telemetry.address import Address

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_log = logging.getLogger("magnetar.telemetry")

LONGEST = 5.0
"""Seconds that a connection may last."""

CROWD = 16
"""So many connections at once; one more is closed at once."""

HEAD = 8192
"""Bytes of a request that are read."""


class CannotListen(OSError):
    """Nobody can listen there: somebody else does, or this machine has no such address."""


class Answer(NamedTuple):
    """What a page says."""

    status: HTTPStatus
    content_type: str
    body: bytes


class Serving:
    """Listens from its making until `close`. The pages are made in its threads, which are daemons."""

    def __init__(self, address: Address, pages: Mapping[str, Callable[[], Answer]]) -> None:
        """`pages` by path. `CannotListen`."""
        try:
            self._server = _server(address, pages)
        except OSError as error:
            message = f"cannot listen on {address}: {error.strerror or error}; choose another address"
            raise CannotListen(message) from error
        self._thread = threading.Thread(target=self._server.serve_forever, name="magnetar-http", daemon=True)
        self._thread.start()

    @property
    def address(self) -> Address:
        """Where it really listens: with the port that was free."""
        host, port = self._server.server_address[:2]
        return Address(str(host), int(port))

    def close(self) -> None:
        """Listen no more. Whoever is being served may still be, for as long as it may take."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(LONGEST)


def _server(address: Address, pages: Mapping[str, Callable[[], Answer]]) -> _Server:
    family, _, _, _, place = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0]
    return _Server(family, (str(place[0]), int(place[1])), pages)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(
        self, family: socket.AddressFamily, place: tuple[str, int], pages: Mapping[str, Callable[[], Answer]]
    ) -> None:
        self.address_family = family
        self.pages = pages
        self._slots = threading.BoundedSemaphore(CROWD)
        self._open: dict[socket.socket, float] = {}
        super().__init__(place, _Handler)

    def server_bind(self) -> None:
        """Bind without asking a name server who we are, which may take long."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as the library has them
        """Serve it in a thread of its own, if there is room."""
        if not self._slots.acquire(blocking=False):
            self.shutdown_request(request)
            return
        self._open[request] = time.monotonic()
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # no thread can be started now
            self._free(request)
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as above
        """In the thread of its own."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free(request)

    def service_actions(self) -> None:
        """Every half second: end the connections that last too long, whatever they do."""
        before = time.monotonic() - LONGEST
        for request in [request for request, since in list(self._open.items()) if since < before]:
            with suppress(OSError):  # it has ended by itself
                request.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401, ARG002 - as above
        """A connection that broke is its client's affair."""
        _log.debug("a request failed", exc_info=True)

    def _free(self, request: socket.socket) -> None:
        del self._open[request]
        self._slots.release()


class _Head(io.BufferedReader):
    """The first bytes of a request; what is longer ends there."""

    _left = HEAD

    def readline(self, size: int | None = -1) -> bytes:
        """As the library asks for it, line by line."""
        line = super().readline(self._left if size is None or size < 0 else min(size, self._left))
        self._left -= len(line)
        return line


class _Handler(BaseHTTPRequestHandler):
    timeout = LONGEST
    rbufsize = 0

    def setup(self) -> None:
        """Bound what is read."""
        super().setup()
        self.rfile = _Head(cast("io.RawIOBase", cast("object", self.rfile)))  # it is one where `rbufsize` is 0

    def version_string(self) -> str:
        """No versions for strangers."""
        return "magnetar"

    def do_GET(self) -> None:
        """A page."""
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        """Its head."""
        self._answer(with_body=False)

    def _answer(self, *, with_body: bool) -> None:
        page = cast("_Server", self.server).pages.get(self.path.partition("?")[0])
        answer = _made(page) if page else Answer(HTTPStatus.NOT_FOUND, "text/plain", b"not found\n")
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if with_body:
            self.wfile.write(answer.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """A probe every second is no news."""
        _log.debug(format, *args)


def _made(page: Callable[[], Answer]) -> Answer:
    try:
        return page()
    except Exception:  # noqa: BLE001 - the outermost place of this thread: it is logged, and the scraper sees that it failed
        _log.exception("a page could not be made")
        return Answer(HTTPStatus.INTERNAL_SERVER_ERROR, "text/plain", b"the page could not be made; see the log\n")
