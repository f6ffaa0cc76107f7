"""Which source files an app is made of, when one of them changes, and how to import them anew."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from magnetar.runtime.cli.exits import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import ModuleType

MOST_FILES = 10_000
"""So many files are looked at several times a second at most."""

_FOREIGN = frozenset({"__pycache__", "node_modules", "site-packages", "dist-packages"})
_FRAMEWORK = ("magnetar.runtime", "magnetar.schemas")


class Sources:
    """The Python files below a folder, without those of hidden folders and virtual environments. One thread."""

    def __init__(self, root: Path) -> None:
        """Look at them for the first time. `BadInput` when there are too many to be one app's."""
        self._root = root
        self._seen = self._look()

    def changed(self) -> list[Path]:
        """The files that were changed, made or removed since the last call."""
        before, self._seen = self._seen, self._look()
        return sorted(path for path in before.keys() | self._seen.keys() if before.get(path) != self._seen.get(path))

    def _look(self) -> Mapping[Path, tuple[int, int]]:
        found: dict[Path, tuple[int, int]] = {}
        for path in self._files():
            try:
                status = path.stat()
            except FileNotFoundError:
                continue  # gone since it was listed: then it is not there
            found[path] = (status.st_mtime_ns, status.st_size)
            if len(found) > MOST_FILES:
                raise BadInput(
                    f"there are more than {MOST_FILES} Python files below {self._root}: start in the app's own folder"
                )
        return found

    def _files(self) -> Iterator[Path]:
        for folder, folders, files in os.walk(self._root):
            folders[:] = [name for name in folders if not is_foreign(Path(folder, name))]
            yield from (Path(folder, name) for name in files if name.endswith(".py"))


def is_foreign(folder: Path) -> bool:
    """Whether a folder holds other people's code."""
    return folder.name.startswith(".") or folder.name in _FOREIGN or (folder / "pyvenv.cfg").exists()


def forget(root: Path) -> None:
    """Make the next import read the files below `root` again: all of the app's modules, so that no two disagree.

    Modules from elsewhere stay, and so does the framework itself, whose objects live on.
    """
    for name in [name for name, module in list(sys.modules.items()) if _is_own(name, module, root)]:
        del sys.modules[name]
    importlib.invalidate_caches()


def _is_own(name: str, module: ModuleType, root: Path) -> bool:
    file = getattr(module, "__file__", None)
    if file is None or name == "__main__" or name.startswith(_FRAMEWORK):
        return False
    path = Path(file)
    if not path.is_relative_to(root):
        return False
    return not any(is_foreign(folder) for folder in path.parents if folder.is_relative_to(root) and folder != root)
