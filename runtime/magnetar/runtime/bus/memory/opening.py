"""Something being opened or asked: attempted at once, unless a fault keeps the broker from answering."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from magnetar.runtime.bus.memory.seat import Member
from magnetar.runtime.bus.port import BusError

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.runtime.bus.memory.faults import Answers

M = TypeVar("M", bound=Member)
A = TypeVar("A")


class MemoryOpening(Generic[M]):
    """One attempt to open a consumer or a producer; its outcome is kept until it is polled or abandoned."""

    def __init__(self, attempt: Callable[[], M], answers: Answers) -> None:
        self._attempt = attempt
        self._answers = answers
        self._opened: M | None = None
        self._error: BusError | None = None
        self._abandoned = False
        self._try()

    def poll(self) -> M | None:
        """As the port says; the same outcome however often it is asked."""
        if self._opened is None and self._error is None:
            self._try()
        if self._error is not None:
            raise self._error
        return self._opened

    def abandon(self) -> None:
        """As the port says; what the broker has not answered yet is never asked again."""
        self._abandoned = True
        if self._opened is not None:
            self._opened.close()

    def _try(self) -> None:
        if self._abandoned:
            return
        if self._answers.held:
            self._answers.in_vain += 1
            return
        try:
            self._opened = self._attempt()
        except BusError as error:
            self._error = error


class MemoryAnswer(Generic[A]):
    """A question, answered or refused at once; the answer is kept until it is polled."""

    def __init__(self, ask: Callable[[], A]) -> None:
        self._outcome: A | BusError
        try:
            self._outcome = ask()
        except BusError as error:
            self._outcome = error

    def poll(self) -> A:
        """As the port says; the same outcome however often it is asked."""
        if isinstance(self._outcome, BusError):
            raise self._outcome
        return self._outcome

    def abandon(self) -> None:
        """As the port says; nothing is left of an answer."""
