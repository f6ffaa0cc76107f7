"""Who a server runs as: PostgreSQL refuses root, so root runs it as somebody with fewer rights."""

from __future__ import annotations

import os
import pwd
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from magnetar.runtime.servers.errors import NoAccount

if TYPE_CHECKING:
    from pathlib import Path

_USUAL = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Account:
    """A user of this machine; a server gets its main group and no other."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Guise:
    """How a process differs from us: who it runs as (None: as we do), and the descriptors that it is to find open."""

    account: Account | None = None
    files: tuple[int, ...] = ()


def other_than_root(effective_uid: int | None = None) -> Account | None:
    """Whom to run a server as that refuses root; None if we are not root. Raises `NoAccount`."""
    if (os.geteuid() if effective_uid is None else effective_uid) != 0:
        return None
    for name in _USUAL:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(name, entry.pw_uid, entry.pw_gid)
    raise NoAccount(_USUAL)


def first_closed(path: Path, account: Account) -> Path | None:
    """The first directory on the way to `path`, itself included, that the account may not enter; None if it may."""
    way = [*reversed(path.resolve().parents), path.resolve()]
    return next((step for step in way if not _may_enter(step, account)), None)


def _may_enter(directory: Path, account: Account) -> bool:
    about = directory.stat()
    if about.st_uid == account.uid:
        return bool(about.st_mode & stat.S_IXUSR)
    if about.st_gid == account.gid:
        return bool(about.st_mode & stat.S_IXGRP)
    return bool(about.st_mode & stat.S_IXOTH)
