"""What `magnetar up`, `down` and `status` tell of servers: the same facts for people and for programs."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, TypeAlias

import msgspec
import typer

from magnetar.runtime.cli import screen
from magnetar.runtime.servers.postgres_layout import PostgresLayout
from magnetar.runtime.servers.record import Layout

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from magnetar.runtime.servers.cluster.kept import RunningCluster, Standing
    from magnetar.runtime.servers.postgres_layout import RunningPostgres
    from magnetar.runtime.servers.record import Running

Facts: TypeAlias = dict[str, object]
"""What `--json` prints, and people get line by line."""


def of_pulsar(found: Running | None, state: str, data: Path) -> Facts:
    """A standalone Pulsar, or that there is none."""
    facts: Facts = {"server": "pulsar", "state": state}
    if found is not None:
        facts |= {"version": found.address.version, "pid": found.process.pid}
        facts |= {"service_url": found.address.service_url, "admin_url": found.address.admin_url}
    return facts | {"data": str(data.absolute()), "log": str(Layout(data.absolute()).log)}


def of_cluster(found: RunningCluster, state: str, data: Path) -> Facts:
    """A cluster and its members; those of a cluster that was stopped have no state of their own."""
    address = found.address
    facts: Facts = {"server": "cluster", "state": state, "version": address.version}
    facts |= {"service_url": address.service_url, "admin_url": address.admin_url}
    facts |= {"admin_urls": list(address.admin_urls), "data": str(data.absolute())}
    facts |= {"supervisor": None if found.supervisor is None else found.supervisor.pid}
    return facts | {"members": [] if state == "stopped" else [_of_member(one) for one in found.members]}


def _of_member(one: Standing) -> Facts:
    facts: Facts = {
        "name": one.member.name,
        "pid": None if one.process is None else one.process.pid,
        "state": one.state,
    }
    facts |= {"port": one.member.port, "web_port": one.member.web_port, "restarts": one.restarts}
    return facts | {"lacking": one.lacking}


def of_postgres(found: RunningPostgres, state: str, data: Path) -> Facts:
    """A PostgreSQL."""
    facts: Facts = {"server": "postgres", "state": state, "version": found.address.version, "pid": found.process.pid}
    facts |= {"store_url": found.address.service_url}
    return facts | {"data": str(data.absolute()), "log": str(PostgresLayout(data.absolute()).log)}


def exported(bus: str, admin: str, store: str | None) -> Mapping[str, str]:
    """The variables with which every other command finds what runs."""
    wanted = {"MAGNETAR_BUS": bus, "MAGNETAR_ADMIN": admin, "MAGNETAR_STORE": store}
    return {name: value for name, value in wanted.items() if value is not None}


def tell(facts: Facts, postgres: Facts | None, export: Mapping[str, str] | None = None, *, as_json: bool) -> None:
    """Print the facts of the bus, those of the store beside it, and what to export."""
    if as_json:
        screen.answer(facts | {"postgres": postgres} | ({} if export is None else {"export": dict(export)}))
        return
    _lines(facts)
    if postgres is not None:
        _say("")
        _lines(postgres)
    if export is not None:
        _say("\nexport " + " ".join(f"{name}={shlex.quote(value)}" for name, value in export.items()))


def _lines(facts: Facts) -> None:
    for name, fact in facts.items():
        if isinstance(fact, str | int | float):
            _say(f"{name.replace('_', ' '):<12} {fact}")
    members = facts.get("members")
    if isinstance(members, list) and members:
        _say(f"\n{'member':<12} {'pid':>8}  {'port':<12} {'restarts':>8}  state")
        for row in msgspec.convert(members, list[_Row]):
            ports = f"{row.port}" if row.web_port is None else f"{row.port} {row.web_port}"
            lacking = f": {row.lacking}" if row.lacking else ""
            _say(f"{row.name:<12} {row.pid or '-':>8}  {ports:<12} {row.restarts:>8}  {row.state}{lacking}")


class _Row(msgspec.Struct, frozen=True):
    """A line of the table of members."""

    name: str
    pid: int | None
    state: str
    port: int
    web_port: int | None
    restarts: int
    lacking: str


def _say(line: str) -> None:
    typer.echo(line)
