"""How a process ends from within."""

from __future__ import annotations


class Crash(BaseException):
    """The process is gone, at a fault point. Nothing in it may catch this."""


class Killed(Crash):
    """The process is gone, by a message that it has opened or handled."""

    def __init__(self, actor: str, key: str, message_id: str) -> None:
        """Which message, and whose."""
        super().__init__(actor, key, message_id)
        self.actor, self.key, self.message_id = actor, key, message_id
