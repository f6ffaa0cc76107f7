"""The pages are served whatever clients do: bounded in number, in time, and in bytes."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, closing
from http import HTTPStatus

import pytest

from magnetar.runtime.telemetry import serving
from magnetar.runtime.telemetry.address import Address
from magnetar.runtime.telemetry.serving import Answer, CannotListen, Serving

WAIT = 20.0


def hello() -> Answer:
    """A page."""
    return Answer(HTTPStatus.OK, "text/plain", b"hello\n")


def broken() -> Answer:
    """A page that cannot be made."""
    message = "secret"
    raise ValueError(message)


@pytest.fixture
def served() -> Generator[Serving]:
    """On any free port."""
    with closing(Serving(Address("127.0.0.1", 0), {"/hello": hello, "/broken": broken})) as serving_:
        yield serving_


def ask(served: Serving, method: str, path: str) -> tuple[int, bytes, http.client.HTTPMessage]:
    """One request."""
    with closing(http.client.HTTPConnection(*served.address, timeout=WAIT)) as connection:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.headers


def raw(served: Serving) -> socket.socket:
    """A connection that says nothing yet."""
    return socket.create_connection(served.address, timeout=WAIT)


def said(connection: socket.socket) -> bytes:
    """All that it hears until it is closed; an end by force is an end."""
    heard = b""
    try:
        while part := connection.recv(65_536):
            heard += part
    except ConnectionError:
        pass
    return heard


def until(question: Callable[[], bool], what: str) -> None:
    """Wait for a condition, or fail."""
    end = time.monotonic() + WAIT
    while not question():
        assert time.monotonic() < end, f"no {what} within {WAIT} s"
        time.sleep(0.01)


def test_a_page_is_served(served: Serving) -> None:
    """With its type and length; a query changes nothing; nobody may keep it."""
    status, body, headers = ask(served, "GET", "/hello?x=1")
    assert (status, body, headers["Content-Type"], headers["Content-Length"]) == (200, b"hello\n", "text/plain", "6")
    assert headers["Cache-Control"] == "no-store"
    assert headers["Server"] == "magnetar"


def test_a_head_has_no_body(served: Serving) -> None:
    """But its length."""
    status, body, headers = ask(served, "HEAD", "/hello")
    assert (status, body, headers["Content-Length"]) == (200, b"", "6")


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/", 404), ("GET", "/../etc", 404), ("POST", "/hello", 501)]
)
def test_nothing_else_is_there(served: Serving, method: str, path: str, status: int) -> None:
    """No other path and no other method."""
    assert ask(served, method, path)[0] == status


def test_a_page_that_cannot_be_made_is_told_without_its_reason(
    served: Serving, caplog: pytest.LogCaptureFixture
) -> None:
    """The log has it; the next page is served."""
    status, body, _ = ask(served, "GET", "/broken")
    assert status == 500
    assert b"secret" not in body
    assert "secret" in caplog.text
    assert ask(served, "GET", "/hello")[0] == 200


def test_a_port_in_use_is_told_with_its_address(served: Serving) -> None:
    """And what to do."""
    with pytest.raises(CannotListen, match=rf"^cannot listen on {served.address}: .*; choose another"):
        Serving(served.address, {})


def test_ipv6_is_served_too() -> None:
    """Where the machine has it."""
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            return  # this machine has no IPv6: there is nothing to show
    with closing(Serving(Address("::1", 0), {"/hello": hello})) as served:
        assert ask(served, "GET", "/hello")[1] == b"hello\n"
        assert str(served.address).startswith("[::1]:")


def test_what_is_too_long_is_not_read(served: Serving) -> None:
    """A line without an end is no request; headers without an end end where the bound is."""
    with closing(raw(served)) as line, closing(raw(served)) as headers:
        line.sendall(b"GET /" + b"a" * (serving.HEAD - 5))
        assert b" 400 " in said(line) or said(line) == b""
        headers.sendall(b"GET /hello HTTP/1.0\r\n" + b"X: %s\r\n" % (b"y" * 1000) * (serving.HEAD // 1000 + 1))
        assert said(headers).endswith(b"hello\n")


def test_whoever_says_nothing_is_cut_off(served: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one who says a little every now and then: the time of a connection counts, not of a read."""
    monkeypatch.setattr(serving, "LONGEST", 0.5)
    with closing(raw(served)) as silent, closing(raw(served)) as slow:
        slow.settimeout(0.1)
        start, ended = time.monotonic(), False
        while not ended and time.monotonic() < start + WAIT:
            try:
                slow.sendall(b"X")
                ended = slow.recv(1) == b""
            except TimeoutError:
                continue
            except ConnectionError:
                ended = True
        assert ended
        assert said(silent) == b""


def test_a_crowd_is_turned_away_and_then_there_is_room(served: Serving) -> None:
    """So many at once; more are closed at once, and nobody is kept out for ever."""
    with ExitStack() as open_:
        crowd = [open_.enter_context(closing(raw(served))) for _ in range(serving.CROWD)]
        until(lambda: len(served._server._open) == serving.CROWD, "crowd")
        with closing(raw(served)) as late:
            assert said(late) == b""
        crowd[0].close()
        until(lambda: len(served._server._open) < serving.CROWD, "room")
        assert ask(served, "GET", "/hello")[0] == 200


def test_after_the_end_nobody_listens(served: Serving) -> None:
    """The port is free for the next one."""
    served.close()
    with pytest.raises(ConnectionError):
        raw(served)
    with closing(Serving(served.address, {"/hello": hello})) as again:
        assert ask(again, "GET", "/hello")[0] == 200
