"""Where the payment provider is and who we are to it, from `MAGNETAR_PROVIDER_…` variables."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class ProviderSettings(BaseSettings):
    """Read once, at the start of a process; frozen.

    url: `https://host[:port][/path]`; `http:` only for an address of this machine, for the token goes along. token: a
    bearer token that goes with every question; never logged. connect_timeout: seconds for making a connection, and for
    waiting for one of `connections` to be free. read_timeout: seconds that the provider may be silent, and that its
    answer may take from its first byte to its last. connections: how many questions at once, each on its own.
    """

    model_config = SettingsConfigDict(
        env_prefix="MAGNETAR_PROVIDER_",
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,  # it may be the token, or a password in an address
    )

    url: str = "http://127.0.0.1:8686"
    token: SecretStr | None = None
    connect_timeout: float = Field(default=2.0, gt=0, le=60)
    read_timeout: float = Field(default=10.0, gt=0, le=300)
    connections: int = Field(default=16, ge=1, le=1_000)

    @property
    def longest(self) -> float:
        """Seconds after which a question has its answer, or is given up: place, connection, sending, head, body."""
        return 2 * self.connect_timeout + 3 * self.read_timeout

    @field_validator("url")
    @classmethod
    def _is_safe(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            message = "the provider's url is https://host[:port][/path], without a query"
            raise ValueError(message)
        if parts.username is not None or parts.password is not None:
            message = "the provider's url holds no name and no password: give the token by itself"
            raise ValueError(message)
        if parts.scheme == "http" and not _is_here(parts.hostname):
            message = f"http is for this machine; {parts.hostname} is reached by https, or anybody reads the token"
            raise ValueError(message)
        return url

    @field_validator("token")
    @classmethod
    def _is_sendable(cls, token: SecretStr | None) -> SecretStr | None:
        if token is not None and not all("!" <= sign <= "~" for sign in token.get_secret_value() or " "):
            message = "the provider's token is one or more visible ASCII characters; look for a space or a line end"
            raise ValueError(message)
        return token


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
