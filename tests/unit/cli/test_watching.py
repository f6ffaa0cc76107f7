"""The app's own files are watched and imported anew, nobody else's."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from magnetar.runtime.cli import watching
from magnetar.runtime.cli.exits import BadInput
from magnetar.runtime.cli.watching import Sources, forget


def _write(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_changed_made_and_removed_files_are_seen_once(tmp_path: Path) -> None:
    """Each change is told by the next look, and only by that one."""
    first, gone = _write(tmp_path / "a.py"), _write(tmp_path / "deep" / "b.py")
    sources = Sources(tmp_path)
    assert sources.changed() == []
    _write(first, "x = 1")
    made = _write(tmp_path / "deep" / "c.py")
    gone.unlink()
    assert sources.changed() == sorted([first, gone, made])
    assert sources.changed() == []


@pytest.mark.parametrize("name", [".venv/a.py", "env/lib/a.py", "node_modules/a.py", "x/site-packages/a.py", "a.txt"])
def test_foreign_files_are_not_watched(tmp_path: Path, name: str) -> None:
    """Virtual environments, hidden folders and what is no Python."""
    _write(tmp_path / "env" / "pyvenv.cfg")
    sources = Sources(tmp_path)
    _write(tmp_path / name)
    assert sources.changed() == []


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Started in the wrong folder, it would do nothing but look at files."""
    monkeypatch.setattr(watching, "MOST_FILES", 2)
    for name in "abc":
        _write(tmp_path / f"{name}.py")
    with pytest.raises(BadInput, match="start in the app's own folder"):
        Sources(tmp_path)


def test_the_apps_modules_are_imported_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two modules of an app that refer to each other are both new afterwards."""
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    _write(tmp_path / "forget_types.py", "NUMBER = 1\n")
    _write(tmp_path / "forget_app.py", "from forget_types import NUMBER\n")
    assert vars(importlib.import_module("forget_app"))["NUMBER"] == 1
    _write(tmp_path / "forget_types.py", "NUMBER = 22\n")
    forget(tmp_path)
    assert vars(importlib.import_module("forget_app"))["NUMBER"] == 22


def test_the_framework_and_other_peoples_modules_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where they lie below the app's folder: their objects live through a reload."""
    known = dict(sys.modules)
    monkeypatch.setattr(sys, "modules", known)
    forget(Path(__file__).parents[3])
    assert __name__ not in known
    assert {"magnetar.runtime", "magnetar.schemas", "msgspec", "pathlib"} <= known.keys()
