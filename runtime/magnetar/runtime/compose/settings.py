"""Settings of a process, from `MAGNETAR_…` variables; options of a command win over them."""

from __future__ import annotations

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Read once, at the start of a process; frozen.

    bus: `memory:` or `pulsar://host:6650`. admin: `http://host:8080`, only for provisioning. store: `memory:` or
    `sqlite:///path`. handler_deadline: seconds after which a handler that hangs ends the process (R28).
    drain: seconds that a worker may take to release its shards. listen: `HOST:PORT` of a worker's metrics and health.
    cache: where servers are unpacked.
    """

    model_config = SettingsConfigDict(env_prefix="MAGNETAR_", frozen=True, extra="ignore")

    bus: str = "pulsar://127.0.0.1:6650"
    admin: str = "http://127.0.0.1:8080"
    store: str = "sqlite:///magnetar.db"
    handler_deadline: float = 10.0
    drain: float = 10.0
    listen: str | None = None
    cache: Path | None = None
