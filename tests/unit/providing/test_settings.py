"""Where the provider is, and who we are to it: nothing unsafe is accepted, and the token shows nowhere."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from magnetar.actors.providing import Charge, Refund
from magnetar.actors.providing.settings import ProviderSettings
from magnetar.schemas import Money
from tests.unit.actors.goods import euros


@pytest.mark.parametrize(
    "url",
    [
        "https://psp.example",
        "https://psp.example:8443/api",
        "http://127.0.0.1:8686",
        "http://[::1]:1",
        "http://localhost",
    ],
)
def test_a_safe_address_is_taken(url: str) -> None:
    """TLS everywhere but on this machine."""
    assert ProviderSettings(url=url).url == url


@pytest.mark.parametrize(
    "url",
    [
        "http://psp.example",
        "http://10.0.0.7",
        "https://user:secret@psp.example",
        "https://psp.example?x=1",
        "ftp://127.0.0.1",
        "psp.example",
        "https://",
    ],
)
def test_an_unsafe_address_is_refused(url: str) -> None:
    """Clear text to another machine, a password in the address, and what is no address."""
    with pytest.raises(ValidationError) as caught:
        ProviderSettings(url=url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("token", ["", "two words", "s3cr3t\n", "ключ"])
def test_a_token_that_cannot_be_sent_is_refused(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The usual slip is a line end from a file. The refusal does not show it."""
    monkeypatch.setenv("MAGNETAR_PROVIDER_TOKEN", token)
    with pytest.raises(ValidationError) as caught:
        ProviderSettings()
    assert token == "" or token.strip() not in str(caught.value)


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """By their names in capitals, and the token is not shown."""
    monkeypatch.setenv("MAGNETAR_PROVIDER_URL", "https://psp.example")
    monkeypatch.setenv("MAGNETAR_PROVIDER_TOKEN", "s3cr3t")
    monkeypatch.setenv("MAGNETAR_PROVIDER_READ_TIMEOUT", "3.5")
    settings = ProviderSettings()
    assert (settings.url, settings.read_timeout) == ("https://psp.example", 3.5)
    assert "s3cr3t" not in repr(settings)


@pytest.mark.parametrize("amount", [Money(0, "EUR"), Money(-1, "EUR"), Money(10**12 + 1, "EUR"), Money(1, "euro")])
def test_what_is_no_amount_is_never_asked_for(amount: Money) -> None:
    """It fails here, before any provider hears of it."""
    with pytest.raises(ValueError, match="is no amount"):
        Charge("o-1", amount)


def test_what_names_nothing_is_never_asked_for() -> None:
    """No order, no charge."""
    with pytest.raises(ValueError, match="names no order"):
        Charge("", euros(1))
    with pytest.raises(ValueError, match="names no charge"):
        Refund("o-1", "\n", euros(1))
