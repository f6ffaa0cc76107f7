"""The HTTP adapter against servers that are no providers at all: what leaves, what comes back, and when it gives up."""

from __future__ import annotations

import logging
import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from magnetar.actors.providing import Charge, Deed, Doubt, NotAdmitted, NotSent, ProviderError, Receipt, Refused, Unsure
from magnetar.actors.providing.over_http import HttpProvider
from magnetar.actors.providing.settings import ProviderSettings
from magnetar.actors.providing.wire import MOST_BODY
from tests.unit.actors.goods import euros

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

TOKEN = "t0ps3cr3t"
GOOD = b'{"deed":"charged","key":"k-1","reference":"ch_1","amount":900,"currency":"EUR"}'
ASKED = Charge("o-1", euros(900))


def http(status: str, body: bytes, *headers: str) -> bytes:
    """A whole answer."""
    head = "\r\n".join([f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers])
    return head.encode() + b"\r\n\r\n" + body


class Server:
    """Listens on a port of this machine and gives every connection to `serve`, with what was asked, in a thread."""

    def __init__(self, serve: Callable[[socket.socket, bytes], None]) -> None:
        self.asked: list[bytes] = []
        self._serve, self._listener = serve, socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Accept nobody any more."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                question = _whole(connection)
                self.asked.append(question)
                self._serve(connection, question)


def _whole(connection: socket.socket) -> bytes:
    """A question: its head, and as much of a body as that says."""
    question = b""
    while b"\r\n\r\n" not in question:
        question += _more(connection)
    head, _, body = question.partition(b"\r\n\r\n")
    lengths = [line.partition(b":")[2] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    while len(body) < int(lengths[0] if lengths else 0):
        body += _more(connection)
    return head + b"\r\n\r\n" + body


def _more(connection: socket.socket) -> bytes:
    """What came; `ConnectionError` at the end."""
    chunk = connection.recv(65_536)
    if not chunk:
        raise ConnectionError
    return chunk


@contextmanager
def serving(serve: Callable[[socket.socket, bytes], None] | bytes) -> Generator[tuple[HttpProvider, Server]]:
    """A provider of such a server; bytes: what every connection is answered with."""
    server = Server((lambda connection, _: connection.sendall(serve)) if isinstance(serve, bytes) else serve)
    url = f"http://127.0.0.1:{server.port}/psp"
    settings = ProviderSettings(url=url, token=SecretStr(TOKEN), read_timeout=0.3, connect_timeout=0.3)
    try:
        with HttpProvider(settings) as provider:
            yield provider, server
    finally:
        server.close()


def doubt_of(answer: Callable[[socket.socket, bytes], None] | bytes) -> Doubt:
    """Which doubt a charge ends with."""
    with serving(answer) as (provider, _), pytest.raises(Unsure) as caught:
        provider.charge("k-1", ASKED)
    return caught.value.doubt


def test_a_question_holds_what_it_must() -> None:
    """Below the path of the settings, with key, token, and an exact amount; nothing that could be squeezed."""
    with serving(http("200 OK", GOOD)) as (provider, server):
        assert provider.charge("k-1", ASKED).amount == euros(900)
    head, _, body = server.asked[0].partition(b"\r\n\r\n")
    first, *headers = head.decode().lower().split("\r\n")
    assert first == "post /psp/v1/charges http/1.1"
    assert {"idempotency-key: k-1", f"authorization: bearer {TOKEN}", "accept-encoding: identity"} <= set(headers)
    assert body == b'{"order_id":"o-1","amount":900,"currency":"EUR"}'


def test_each_question_has_a_connection_of_its_own() -> None:
    """A second answer on the line, or a line that was closed meanwhile, is nothing to the next question."""
    more = bytearray()

    def serve(connection: socket.socket, _: bytes) -> None:
        connection.sendall(http("200 OK", GOOD) * 2)
        more.extend(connection.recv(1))  # nothing: the asker hangs up

    with serving(serve) as (provider, server):
        assert [provider.charge("k-1", ASKED) for _ in range(3)] == [Receipt(Deed.CHARGED, "ch_1", euros(900))] * 3
    assert (len(server.asked), bytes(more)) == (3, b"")


@pytest.mark.parametrize(
    ("answer", "doubt"),
    [
        (b"", Doubt.BROKEN),
        (b"HTTP/1.1 200 OK\r\ncontent-le", Doubt.BROKEN),
        (http("200 OK", GOOD)[:-1], Doubt.BROKEN),
        (b"SSH-2.0-OpenSSH_9.6\r\n", Doubt.BROKEN),
        (b'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"dee', Doubt.BROKEN),
        (http("200 OK", b"{" + b" " * MOST_BODY + b"}"), Doubt.OVERSIZED),
        (http("200 OK", b"\x1f\x8b\x08", "content-encoding: gzip"), Doubt.UNREADABLE),
        (http("307 Temporary Redirect", b"", "location: http://127.0.0.1:1/v1/charges"), Doubt.UNREADABLE),
        (http("403x Forbidden", b""), Doubt.BROKEN),
        (http("404 Not Found", b"<html>no such page</html>"), Doubt.UNREADABLE),
        (http("413 Too Large", b"<html>nginx</html>"), Doubt.UNREADABLE),
        (http("502 Bad Gateway", b"<html>nginx</html>"), Doubt.FAILED),
        (http("504 Gateway Timeout", b""), Doubt.FAILED),
        (http("200 OK", GOOD.replace(b"k-1", b"k-2")), Doubt.ASTRAY),
    ],
)  # fmt: skip
def test_what_is_no_whole_answer_is_a_doubt(answer: bytes, doubt: Doubt) -> None:
    """Half an answer, somebody else's, one that is too long, a redirect: the money may have been taken."""
    assert doubt_of(answer) is doubt


def test_silence_is_a_doubt_in_time() -> None:
    """It is given up after the read time-out."""

    def hold(connection: socket.socket, _: bytes) -> None:
        connection.recv(1)  # until the asker hangs up

    assert doubt_of(hold) is Doubt.SILENCE


def test_an_answer_that_never_ends_is_a_doubt_in_time() -> None:
    """A byte now and then would keep a read time-out waiting for ever."""

    def drip(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 10000\r\n\r\n")
        pause = threading.Event()
        while not pause.wait(0.05):
            connection.sendall(b" ")

    assert doubt_of(drip) is Doubt.SILENCE


def test_nobody_listening_was_not_asked() -> None:
    """No connection, so nothing was sent: the only failure that leaves no doubt."""
    with serving(b"") as (provider, server):
        server.close = lambda: None  # type: ignore[method-assign]
        Server.close(server)
        with pytest.raises(NotSent, match="Connection refused"):
            provider.charge("k-1", ASKED)
        assert server.asked == []


def test_no_name_was_not_asked() -> None:
    """Neither is a host that does not resolve."""
    with HttpProvider(ProviderSettings(url="https://no-such-host.invalid")) as provider, pytest.raises(NotSent):
        provider.charge("k-1", ASKED)


def test_a_stranger_with_tls_was_not_asked() -> None:
    """A server that cannot prove who it is gets neither question nor token."""
    server = Server(lambda connection, _: connection.sendall(b"not tls"))
    try:
        settings = ProviderSettings(url=f"https://127.0.0.1:{server.port}", token=SecretStr(TOKEN))
        with HttpProvider(settings) as provider, pytest.raises(NotSent):
            provider.charge("k-1", ASKED)
    finally:
        server.close()
    assert not any(TOKEN.encode() in question for question in server.asked)


def test_a_full_house_was_not_asked() -> None:
    """With every connection in use the question waits for the connect time-out, and nothing has left."""
    released, arrived = threading.Event(), threading.Event()

    def hold(connection: socket.socket, _: bytes) -> None:
        arrived.set()
        released.wait(10)
        connection.sendall(http("200 OK", GOOD))

    server = Server(hold)
    url = f"http://127.0.0.1:{server.port}"
    with HttpProvider(ProviderSettings(url=url, connections=1, connect_timeout=0.2, read_timeout=10)) as provider:
        first = threading.Thread(target=provider.charge, args=("k-1", ASKED))
        first.start()
        assert arrived.wait(10)
        with pytest.raises(NotSent):
            provider.charge("k-1", ASKED)
        released.set()
        first.join(10)
    server.close()
    assert len(server.asked) == 1


def test_environment_of_the_process_sends_money_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy in the environment would see the token, and decide what arrives."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with serving(http("200 OK", GOOD)) as (provider, _):
        assert provider.charge("k-1", ASKED).reference == "ch_1"


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden"])
def test_who_is_not_admitted_is_told(status: str) -> None:
    """Whatever the page says."""
    with serving(http(status, b"<html>")) as (provider, _), pytest.raises(NotAdmitted):
        provider.charge("k-1", ASKED)


def test_the_token_is_in_no_error_and_no_log(caplog: pytest.LogCaptureFixture) -> None:
    """Also where the provider repeats it, and where every logger speaks."""
    caplog.set_level(logging.DEBUG)
    body = b'{"key":"k-1","error":{"code":"' + TOKEN.encode() + b'","message":"' + TOKEN.encode() + b'","final":true}}'
    errors: list[ProviderError] = []
    for answer in (http("402 Payment Required", body), http("500 Oops", body), b""):
        with serving(answer) as (provider, _), pytest.raises(ProviderError) as caught:
            provider.charge("k-1", ASKED)
        errors.append(caught.value)
    assert isinstance(errors[0], Refused)
    assert TOKEN not in "".join(f"{error!r} {error} {error.__cause__!r}" for error in errors)
    assert TOKEN not in caplog.text


@pytest.mark.parametrize(
    ("said", "wait"), [("7", 7.0), ("86400", 3600.0), ("soon", None), ("-1", None), ("1.5", None), ("", None)]
)
def test_a_wait_is_believed_within_reason(said: str, wait: float | None) -> None:
    """Whole seconds, an hour at most; a date or nonsense is no wait."""
    answer = http("503 Unavailable", b"", f"retry-after: {said}")
    with serving(answer) as (provider, _), pytest.raises(Unsure) as caught:
        provider.charge("k-1", ASKED)
    assert caught.value.wait == wait
