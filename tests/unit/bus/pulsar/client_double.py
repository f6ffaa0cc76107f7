"""Stand-ins for the client's C++ objects: they hold what they were given until the test lets them answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.runtime.bus.pulsar.native import NativeMessageId, NativeResult, OutgoingMessage


@dataclass(frozen=True)
class Result:
    """A result code."""

    name: str = "Ok"


@dataclass(frozen=True)
class MessageId:
    """A message id."""

    ledger: int = 1
    entry: int = 0

    def ledger_id(self) -> int:
        """As the client."""
        return self.ledger

    def entry_id(self) -> int:
        """As the client."""
        return self.entry

    def batch_index(self) -> int:
        """As the client."""
        return -1


Done = "Callable[[NativeResult, NativeMessageId], object]"


@dataclass
class Closing:
    """Something that can be closed; answers at once unless it is silent."""

    silent: bool = False
    closed: int = 0

    def close_async(self, done: Callable[[NativeResult], object]) -> None:
        """As the client."""
        self.closed += 1
        if not self.silent:
            done(Result())


@dataclass
class Sending(Closing):
    """A producer: answers only when told, and fails what is pending when it is closed, as the client does."""

    last: int = -1
    at_once: str = ""
    pending: list[Callable[[NativeResult, NativeMessageId], object]] = field(default_factory=list)

    def send_async(
        self,
        message: OutgoingMessage,  # noqa: ARG002
        done: Callable[[NativeResult, NativeMessageId], object],
    ) -> None:
        """As the client; `at_once` is what it answers without taking the message."""
        if self.at_once:
            done(Result(self.at_once), MessageId())
        else:
            self.pending.append(done)

    def last_sequence_id(self) -> int:
        """As the client."""
        return self.last

    def answer(self, name: str = "Ok", ledger: int = 1) -> None:
        """Answer the oldest send."""
        self.pending.pop(0)(Result(name), MessageId(ledger))

    def close_async(self, done: Callable[[NativeResult], object]) -> None:
        """As the client: everything pending fails before the call returns."""
        while self.pending:
            self.answer("AlreadyClosed")
        super().close_async(done)
