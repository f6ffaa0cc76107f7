"""What a handler may do besides returning a state: it decides, the engine commits and publishes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple
from uuid import UUID

from magnetar.runtime.errors import MisuseError
from magnetar.runtime.identity import derive, to_text
from magnetar.runtime.instant import Instant, from_datetime, micros, to_datetime
from magnetar.schemas import Command, Effect, Event, Timer
from magnetar.schemas.derivation import simple_name

if TYPE_CHECKING:
    from datetime import datetime

    from magnetar.runtime.envelope import Envelope
    from magnetar.runtime.row import Row


class Sent(NamedTuple):
    """A message decided in a handler, with its derived id (R5)."""

    message_id: bytes
    message: Command | Event


class Armed(NamedTuple):
    """A timer decided in a handler; its id is its generation (R26)."""

    message_id: bytes
    name: str
    due: Instant
    timer: Timer


class Asked(NamedTuple):
    """An effect decided in a handler; its id is its idempotency key (R29)."""

    effect_id: bytes
    request: Effect


class Context:
    """The handler's side of one message. Deterministic: the same message on the same state sees the same context (R5).

    Lives for one call of one handler; used by the loop's thread only.
    """

    __slots__ = ("_id", "_now", "_ordinal", "armed", "asked", "cancelled", "envelope", "key", "rows", "sent")

    def __init__(self, key: str, message_id: bytes, now: Instant, envelope: Envelope) -> None:
        """Made by the engine; in a test by hand, to call a handler as the plain function that it is."""
        self.key: Final = key
        self.envelope: Final = envelope
        self.sent: list[Sent] = []
        self.armed: dict[str, Armed] = {}
        self.cancelled: list[str] = []
        self.asked: list[Asked] = []
        self.rows: list[Row] = []
        self._id = message_id
        self._now = now
        self._ordinal = 0

    @property
    def now(self) -> datetime:
        """The message's time by the store's clock, aware UTC; it never runs backwards within a shard."""
        return to_datetime(self._now)

    def new_id(self) -> UUID:
        """A fresh id, the same when this message is handled again."""
        return UUID(bytes=self._derived())

    def send(self, command: Command) -> None:
        """Ask the one actor that takes this command, after the commit, exactly once."""
        _must_be(Command, command, "send() takes a Command: publish() events, schedule() timers")
        self.sent.append(Sent(self._derived(), command))

    def publish(self, event: Event) -> None:
        """State a fact on this actor's public topic, after the commit, exactly once."""
        _must_be(Event, event, "publish() takes an Event: send() commands, schedule() timers")
        self.sent.append(Sent(self._derived(), event))

    def effect(self, request: Effect) -> str:
        """Ask the outside world, after the commit, at least once. Returns the idempotency key of every attempt.

        What becomes of it comes back as a message: see `Actor.effect`.
        """
        _must_be(Effect, request, "effect() takes an Effect: send() commands, publish() events")
        asked = Asked(self._derived(), request)
        self.asked.append(asked)
        return to_text(asked.effect_id)

    def schedule(
        self, timer: Timer, *, after: float | None = None, at: datetime | None = None, name: str | None = None
    ) -> None:
        """Wake this key with `timer`: `after` seconds from now, or `at` an aware time.

        A key has at most one timer of a name (default: the timer's type); scheduling it again replaces it.
        """
        _must_be(Timer, timer, "schedule() takes a Timer: send() commands, publish() events")
        chosen = name or simple_name(type(timer))
        self.armed.pop(chosen, None)
        self.armed[chosen] = Armed(self._derived(), chosen, self._due(after, at), timer)

    def cancel(self, timer: type[Timer] | str) -> None:
        """Drop this key's timer of that type or name; a no-op when there is none."""
        name = timer if isinstance(timer, str) else simple_name(timer)
        self.armed.pop(name, None)
        self.cancelled.append(name)

    def record(self, row: Row) -> None:
        """Write a row into the application's own table, in the same commit as the state."""
        self.rows.append(row)

    def _due(self, after: float | None, at: datetime | None) -> Instant:
        if (after is None) == (at is None):
            message = "context.schedule() wants exactly one of after=seconds and at=datetime"
            raise MisuseError(message)
        if at is not None:
            return from_datetime(at)
        return self._now + max(0, micros(after or 0.0))

    def _derived(self) -> bytes:
        self._ordinal += 1
        return derive(self._id, self._ordinal)


def _must_be(kind: type, given: object, teaching: str) -> None:
    """Checked at run time too, for code that no type checker has seen."""
    if not isinstance(given, kind):
        message = f"context.{teaching}, not {type(given).__name__}"
        raise MisuseError(message)
