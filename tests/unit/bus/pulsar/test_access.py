"""A token is never told, and what cannot be used says what to do."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest

from magnetar.runtime.bus.port import BusError, Refused
from magnetar.runtime.bus.pulsar.access import Access
from magnetar.runtime.bus.pulsar.admin import Admin
from magnetar.runtime.bus.pulsar.client import PulsarBus
from magnetar.runtime.bus.pulsar.settings import PulsarSettings
from magnetar.runtime.compose.places import PulsarPlace, bus_place
from magnetar.runtime.compose.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJzaG9wIn0.c2VjcmV0"


def test_a_token_is_in_no_text() -> None:
    """Of the settings, of a place, of the variables."""
    access = Access(token=SECRET)
    place = bus_place("pulsar+ssl://broker:6651", "shop", access)
    texts = [
        repr(one) for one in (access, place, PulsarSettings(service_url="pulsar://b", application="a", access=access))
    ]
    assert not [text for text in texts if SECRET in text]
    assert isinstance(place, PulsarPlace)
    assert place.settings.access.bearer() == SECRET


def test_a_token_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """And does not show in the settings."""
    monkeypatch.setenv("MAGNETAR_BUS_TOKEN", SECRET)
    monkeypatch.setenv("MAGNETAR_BUS_TRUST_CERTS", "/etc/pulsar/ca.pem")
    settings = Settings()
    assert SECRET not in repr(settings) + str(settings)
    assert settings.access() == Access(token=SECRET, trust_certs=Path("/etc/pulsar/ca.pem"))


def test_two_tokens_are_one_too_many(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Which one is meant is not guessed."""
    monkeypatch.setenv("MAGNETAR_BUS_TOKEN", SECRET)
    monkeypatch.setenv("MAGNETAR_BUS_TOKEN_FILE", str(tmp_path / "token"))
    with pytest.raises(Refused, match="not both") as caught:
        Settings().access()
    assert SECRET not in str(caught.value)


def test_a_token_file_is_read_each_time(tmp_path: Path) -> None:
    """Its last line break is none of the token."""
    file = tmp_path / "token"
    access = Access(token_file=file)
    for token in (SECRET, "new.token.here"):
        file.write_text(f"{token}\n", encoding="ascii")
        assert access.bearer() == token


@pytest.mark.parametrize("content", [b"", b" \n", b"two tokens", b"\xff\xfe\x00", f"{SECRET}\r\nX-Evil: 1".encode()])
def test_what_is_no_token_is_refused(content: bytes, tmp_path: Path) -> None:
    """The file is named, and what is in it is not told."""
    file = tmp_path / "token"
    file.write_bytes(content)
    with pytest.raises(Refused, match=rf"{file} is empty or holds characters.*MAGNETAR_BUS_TOKEN_FILE") as caught:
        Access(token_file=file).bearer()
    assert SECRET not in str(caught.value)


def test_a_token_file_that_is_missing_is_named(tmp_path: Path) -> None:
    """Before anything is opened."""
    access = Access(token_file=tmp_path / "nowhere")
    settings = PulsarSettings(
        service_url="pulsar://127.0.0.1:1", application="shop", access=access, log_file="/dev/null"
    )
    with pytest.raises(Refused, match=r"No such file.*nowhere.*MAGNETAR_BUS_TOKEN_FILE"):
        PulsarBus(settings)


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_certificates_that_are_none_are_refused(content: str | None, tmp_path: Path) -> None:
    """By both clients: the binary one would call it an authentication error."""
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content, encoding="ascii")
    access = Access(trust_certs=file)
    settings = PulsarSettings(service_url="pulsar+ssl://127.0.0.1:1", application="shop", access=access)
    makers: list[Callable[[], object]] = [lambda: Admin("https://broker", access=access), lambda: PulsarBus(settings)]
    for make in makers:
        with pytest.raises(Refused, match=r"ca.pem holds no certificates.*MAGNETAR_BUS_TRUST_CERTS"):
            make()


def hops(first: str, then: str, access: Access) -> list[str | None]:
    """The tokens that a question shows to the host asked and to the one that it is sent to."""
    seen: list[str | None] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.headers.get("authorization"))
        if len(seen) == 1:
            return httpx2.Response(307, headers={"location": f"{then}{request.url.raw_path.decode()}"})
        return httpx2.Response(200, json=[])

    with Admin(first, access=access, transport=httpx2.MockTransport(answer)) as admin:
        admin.tenants()
    return seen


def test_the_owner_of_a_topic_is_shown_the_token_too() -> None:
    """It is another host, for which a library rightly drops it; but in clear text only where we had none."""
    access, bearer = Access(token=SECRET), f"Bearer {SECRET}"
    assert hops("http://broker-1:8080", "http://broker-2:8080", access) == [bearer, bearer]
    assert hops("https://broker-1:8443", "https://broker-2:8443", access) == [bearer, bearer]
    assert hops("http://broker-1:8080", "https://broker-2:8443", access) == [bearer, bearer]
    assert hops("https://broker-1:8443", "http://broker-2:8080", access) == [bearer, None]
    assert hops("http://broker-1:8080", "http://broker-2:8080", Access()) == [None, None]


@pytest.mark.parametrize(("status", "remedy"), [(401, "MAGNETAR_BUS_TOKEN_FILE"), (403, "role may not do this")])
def test_a_token_that_is_not_taken_says_what_to_do(status: int, remedy: str, caplog: pytest.LogCaptureFixture) -> None:
    """And neither the error nor any line of any log holds it."""
    answers = httpx2.MockTransport(lambda _: httpx2.Response(status, json={"reason": "no"}))
    with (
        caplog.at_level(logging.DEBUG),
        Admin("http://broker", access=Access(token=SECRET), transport=answers) as admin,
        pytest.raises(BusError, match=remedy) as caught,
    ):
        admin.tenants()
    assert isinstance(caught.value, Refused)
    assert SECRET not in str(caught.value) + caplog.text


@pytest.mark.parametrize(
    ("bus", "admin", "asked"),
    [
        (None, None, "http://127.0.0.1:8080"),
        ("pulsar://elsewhere:6650", None, None),
        ("pulsar://elsewhere:6650", "http://elsewhere:8080", "http://elsewhere:8080"),
    ],
)
def test_a_bus_is_not_asked_about_at_another_one_s_address(
    bus: str | None, admin: str | None, asked: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two clusters may have topics of the same name: the usual address belongs to the usual bus only."""
    for name, value in (("MAGNETAR_BUS", bus), ("MAGNETAR_ADMIN", admin)):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    settings = Settings()
    assert settings.admin_of(settings.bus) == asked
