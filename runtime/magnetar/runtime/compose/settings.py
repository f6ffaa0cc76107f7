"""Settings of a process, from `MAGNETAR_…` variables; options of a command win over them."""

from __future__ import annotations

from getpass import getuser
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from magnetar.runtime.bus.pulsar.access import Access
from magnetar.runtime.compose.trimming import LEAST_DAYS, MOST_DAYS


class Settings(BaseSettings):
    """Read once, at the start of a process; frozen.

    bus: `memory:` or `pulsar://host:6650`. admin: `http://host:8080`, for provisioning, and for what only the REST API
    tells. bus_token or bus_token_file, bus_trust_certs: who we are to both of them, and the PEM file of the authorities
    that are trusted. store: `memory:` or `sqlite:///path`. handler_deadline: seconds after which a handler that hangs
    ends the process (R28). drain: seconds that a worker may take to release its shards. listen: `HOST:PORT` of
    a worker's metrics and health. journal_days: workers drop what a PostgreSQL store's journal holds from longer ago
    (R4); None: nothing is dropped. cache: where servers are unpacked. edits: whether workers let a person change what
    dead letters say.
    """

    model_config = SettingsConfigDict(env_prefix="MAGNETAR_", frozen=True, extra="ignore")

    bus: str = "pulsar://127.0.0.1:6650"
    admin: str = "http://127.0.0.1:8080"
    bus_token: SecretStr | None = None
    bus_token_file: Path | None = None
    bus_trust_certs: Path | None = None
    store: str = "sqlite:///magnetar.db"
    handler_deadline: float = 10.0
    drain: float = 10.0
    listen: str | None = None
    journal_days: float | None = Field(default=None, ge=LEAST_DAYS, le=MOST_DAYS)
    cache: Path | None = None
    edits: bool = False

    def access(self) -> Access:
        """How a Pulsar is reached. Raises `Refused` when there are two tokens."""
        token = None if self.bus_token is None else self.bus_token.get_secret_value()
        return Access(token=token, token_file=self.bus_token_file, trust_certs=self.bus_trust_certs)

    def admin_of(self, bus: str) -> str | None:
        """The REST API that belongs to this bus; None for one of which nobody has told it."""
        told = "admin" in self.model_fields_set or bus == type(self).model_fields["bus"].default
        return self.admin if told else None


def login_name() -> str:
    """Who runs this process, as far as the system knows."""
    try:
        return getuser()
    except (KeyError, OSError, ImportError):  # a user without an entry, as containers have
        return "unknown"
