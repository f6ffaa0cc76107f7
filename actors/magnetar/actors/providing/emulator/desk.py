"""What the provider answers to a question: by its books, in the manner of the moment."""

from __future__ import annotations

import hmac
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, TypeAlias

from magnetar.actors.providing import wire
from magnetar.actors.providing.emulator.bank import InHand
from magnetar.actors.providing.emulator.book import NO_COVER, KeyReused
from magnetar.actors.providing.emulator.conduct import Manner
from magnetar.actors.providing.emulator.questions import (
    Cancel,
    Do,
    LookUp,
    Question,
    Reply,
    faulty,
    told,
    told_of_cancelling,
)

if TYPE_CHECKING:
    from magnetar.actors.providing.emulator.bank import Bank
    from magnetar.actors.providing.emulator.conduct import Behaving

_GARBLED: Final = Reply(HTTPStatus.OK, b"<html><body>502 Bad Gateway</body></html>", kind="text/html")
_BUSY: Final = faulty(HTTPStatus.TOO_MANY_REQUESTS, None, "busy", "ask again later", wait=1)
_DOWN: Final = faulty(HTTPStatus.SERVICE_UNAVAILABLE, None, "down", "ask again later")
_LIE: Final = faulty(HTTPStatus.INTERNAL_SERVER_ERROR, None, "internal", "nobody knows what was done")

Replies: TypeAlias = tuple[Reply, ...]
"""What is written on the connection; nothing: it is hung up."""


class Desk:
    """What is answered to a question, and when. Threads: any."""

    def __init__(self, bank: Bank, behaving: Behaving, token: str | None) -> None:
        """`token`: what everybody must show; None: nobody is asked."""
        self.bank, self.behaving, self._token = bank, behaving, token
        self.closing = threading.Event()
        """Set when nobody is to be kept waiting any more."""

    def admits(self, authorization: str) -> bool:
        """Whether this is the token's header."""
        wanted = f"Bearer {self._token}"
        return self._token is None or hmac.compare_digest(authorization.encode(), wanted.encode())

    def replies(self, asked: Question) -> Replies:
        """In the manner of the moment. Blocks for as long as that says."""
        manner = self.behaving.manner(asked.key)
        match manner:
            case Manner.CUTS:
                return ()
            case Manner.FAILS:
                return (_DOWN,)
            case Manner.BUSY:
                return (_BUSY,)
            case _:
                return self._told(self._performed(asked, manner), manner)

    def _told(self, reply: Reply, manner: Manner) -> Replies:
        """What of a reply goes back."""
        match manner:
            case Manner.SILENT:
                self._wait()
                return ()
            case Manner.LIES:
                return (_LIE,)
            case Manner.GARBLES:
                return (_GARBLED,)
            case Manner.TWICE:
                return (reply, reply)
            case _:
                return (reply,)

    def _wait(self) -> None:
        self.closing.wait(self.behaving.conduct.seconds)

    def _performed(self, asked: Question, manner: Manner) -> Reply:
        """What the books say after it; a key that is being waited with is in hand."""
        if isinstance(asked, LookUp):
            return self._looked_up(asked.key)
        try:
            with self.bank.taking(asked.key):
                if manner is Manner.SLOW:
                    self._wait()
                return self._done(asked, NO_COVER if manner is Manner.REFUSES else "")
        except InHand:
            return faulty(HTTPStatus.CONFLICT, asked.key, "in_hand", "another question with this key is being answered")
        except KeyReused:
            words = "the key stands for something else"
            return faulty(HTTPStatus.UNPROCESSABLE_ENTITY, asked.key, wire.KEY_REUSED, words)
        except OSError as failure:
            return faulty(HTTPStatus.INTERNAL_SERVER_ERROR, asked.key, "log", f"{type(failure).__name__}: {failure}")

    def _done(self, asked: Do | Cancel, declined: str) -> Reply:
        if isinstance(asked, Cancel):
            return told_of_cancelling(self.bank.cancel(asked.key))
        declines = declined if isinstance(asked.asked, wire.ChargeBody) else ""
        return told(self.bank.perform(asked.key, asked.asked, declines))

    def _looked_up(self, key: str) -> Reply:
        entry = self.bank.known(key)
        if entry is None:
            return faulty(HTTPStatus.NOT_FOUND, key, wire.NOTHING_KNOWN, "nothing is known of the key")
        return told(entry)
