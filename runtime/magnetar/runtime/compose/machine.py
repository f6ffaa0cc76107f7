"""What the environment says of this machine, for the servers that run on it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from magnetar.runtime.compose.settings import Settings
from magnetar.runtime.servers.places import Places


def places() -> Places:
    """The user's directories for what servers fetch and keep, by the XDG rules; MAGNETAR_CACHE wins for the former."""
    found = Places.of(os.environ, Path.home())
    return replace(found, cache=chosen) if (chosen := Settings().cache) else found


def java_home() -> str | None:
    """The Java that the user prefers, if JAVA_HOME names one."""
    return os.environ.get("JAVA_HOME")
