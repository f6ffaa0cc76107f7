"""Finding an app by `module:NAME`, as given on a command line."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from magnetar.runtime.actor import Actor
from magnetar.runtime.app import App
from magnetar.runtime.compose.errors import AppNotFound


def load_app(target: str) -> App:
    """The app that `module:NAME` names; a single actor makes an app of its own. The working folder is importable.

    Raises `AppNotFound`; what importing the module raises comes through as it is.
    """
    module_name, _, name = target.partition(":")
    if not module_name or not name:
        message = f"{target!r} names no app; write module:NAME, e.g. shop:app"
        raise AppNotFound(message)
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is not None and not module_name.startswith(error.name):
            raise
        message = f"there is no module {module_name!r} here ({here}) or on the path"
        raise AppNotFound(message) from error
    found: object = getattr(module, name, None)
    if isinstance(found, Actor):
        return App(found.name, found)  # pyright: ignore[reportUnknownArgumentType] - of whatever state
    if not isinstance(found, App):
        message = f"{name!r} in {module_name} is {type(found).__name__}, not an App; write {name} = App(…, actors…)"
        raise AppNotFound(message)
    return found
