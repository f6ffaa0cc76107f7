"""A provider in this process, for tests in virtual time: the emulator's books and manners, without a network.

What waits in the emulator does not wait here: *slow* is `ok`, and *silent* hangs up at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.actors.providing.answers import Answer
from magnetar.actors.providing.asking import Asking
from magnetar.actors.providing.emulator.bank import Bank
from magnetar.actors.providing.emulator.conduct import Behaving, Conduct
from magnetar.actors.providing.emulator.desk import Desk
from magnetar.actors.providing.emulator.questions import Senseless, question
from magnetar.actors.providing.errors import Doubt, NotSent, Unsure

if TYPE_CHECKING:
    from magnetar.actors.providing.emulator.book import Entry


class DoubleProvider(Asking):
    """See `Provider`. `entries` is what it has done, in order; set `reachable` to False to cut the line."""

    def __init__(self, conduct: Conduct | None = None) -> None:
        """It behaves well, unless told otherwise."""
        self.entries: list[Entry] = []
        self.reachable = True
        self._desk = Desk(Bank(self.entries), Behaving(conduct), None)
        self._desk.closing.set()
        super().__init__(self)

    def become(self, conduct: Conduct) -> None:
        """Behave like this from now on."""
        self._desk.behaving.become(conduct)

    def ask(self, method: str, path: str, key: str, body: bytes) -> Answer:
        """See `Line`."""
        if not self.reachable:
            raise NotSent(key, "the line is cut")
        try:
            replies = self._desk.replies(question(method, path, key, body))
        except Senseless as senseless:
            replies = (senseless.reply,)
        if not replies:
            raise Unsure(key, Doubt.BROKEN, "it hung up")
        reply = replies[0]
        return Answer(key, reply.status, reply.body, reply.wait)
