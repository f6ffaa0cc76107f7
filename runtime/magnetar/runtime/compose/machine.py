"""What the environment says of this machine, for the servers that run on it."""

from __future__ import annotations

import os
from pathlib import Path

from magnetar.runtime.servers import Places


def places() -> Places:
    """The user's directories for what servers fetch and keep: XDG_CACHE_HOME and XDG_DATA_HOME, or their defaults."""
    return Places.of(os.environ, Path.home())


def java_home() -> str | None:
    """The Java that the user prefers, if JAVA_HOME names one."""
    return os.environ.get("JAVA_HOME")
