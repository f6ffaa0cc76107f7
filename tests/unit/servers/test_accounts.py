"""Who a server runs as that refuses root, and whether that user may read the server's programs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from magnetar.runtime.servers.accounts import Account, first_closed, other_than_root
from magnetar.runtime.servers.errors import NoAccount

NOBODY = Account("nobody", 65534, 65534)


def test_root_runs_it_as_somebody_else() -> None:
    """Another user runs it as who he is."""
    account = other_than_root(0)
    assert account is not None
    assert account.uid != 0
    assert other_than_root(1000) is None


def test_without_a_user_to_run_it_as_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Never as root, and never a guess."""
    monkeypatch.setattr("magnetar.runtime.servers.accounts._USUAL", ("no-such-user", "root"))
    with pytest.raises(NoAccount, match="no-such-user"):
        other_than_root(0)


@pytest.mark.parametrize(
    ("mode", "account", "enters"),
    [
        (0o711, NOBODY, True),
        (0o770, NOBODY, False),
        (0o766, NOBODY, False),
        (0o710, Account("friend", 65534, os.getgid()), True),
        (0o701, Account("friend", 65534, os.getgid()), False),
        (0o100, Account("owner", os.getuid(), 65534), True),
        (0o011, Account("owner", os.getuid(), 65534), False),
    ],
)
def test_the_first_closed_directory_is_found(tmp_path: Path, mode: int, account: Account, enters: bool) -> None:  # noqa: FBT001
    """By what the kernel would look at: the owner's bit, else the group's, else everyone's."""
    base = _open_base(tmp_path)
    inner = base / "a" / "b"
    inner.mkdir(parents=True)
    inner.chmod(0o777)
    (base / "a").chmod(mode)
    try:
        found = first_closed(inner, account)
        assert found == (None if enters else base / "a") or found in base.parents
    finally:
        (base / "a").chmod(0o700)


def _open_base(tmp_path: Path) -> Path:
    tmp_path.chmod(0o711)
    return tmp_path
