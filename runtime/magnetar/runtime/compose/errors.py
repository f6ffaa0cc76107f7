"""What composing can fail with."""

from __future__ import annotations

from magnetar.runtime.errors import MagnetarError


class AppNotFound(MagnetarError):
    """There is no such module, or nothing in it that is an app."""


class UnknownPlace(MagnetarError):
    """A URL that names no bus or store that Magnetar knows."""


class WorkerFailed(MagnetarError):
    """The worker stopped by itself; its last word is the cause."""
