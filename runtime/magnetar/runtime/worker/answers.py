"""What an attempt came to → what becomes of its effect. Pure (R29).

success, final refusal → told, closed       a refusal without doubt → told, closed
anything else → asked again with the same key, until the attempts are over: then it is told that nobody knows
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

from magnetar.runtime.effects import Failed
from magnetar.runtime.errors import MisuseError, NotSent
from magnetar.runtime.identity import derive, to_text
from magnetar.runtime.instant import Instant, micros
from magnetar.runtime.worker.failing import name_of, text_of
from magnetar.schemas import Outcome, contract_name

if TYPE_CHECKING:
    from magnetar.runtime.effects import Dependency
    from magnetar.runtime.store.effects import EffectRow
    from magnetar.runtime.wiring import ActorPlan, EffectPlan

FIRST = 0
"""The number of an effect's first outcome; one that comes after another was told has its attempt's."""


class Ending(StrEnum):
    """What an attempt, or its effect, came to. Few words, for they are a metric's label."""

    SUCCESS = "success"
    FAILURE = "failure"
    UNKNOWN = "unknown"
    NOT_SENT = "not-sent"


class Told(NamedTuple):
    """An outcome as it is told: `number` is `FIRST`, or the attempt whose answer contradicts what was told before."""

    row: EffectRow
    ending: Ending
    message: Outcome
    type: str
    schema: str
    body: bytes
    number: int = FIRST

    @property
    def message_id(self) -> bytes:
        """Derived (R5): whoever hears the answer, the first outcome of an effect is one message."""
        return derive(self.row.effect_id, self.number)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one attempt says. `message` is None where it has told nothing; `doubt`: it may have been done."""

    ending: Ending
    message: Outcome | None = None
    final: bool = False
    error: str = ""
    error_text: str = ""

    @property
    def doubt(self) -> bool:
        """Whether the attempt may have been done, without our knowing."""
        return self.ending is Ending.UNKNOWN

    def settles(self, earlier: int) -> bool:
        """Whether this is the effect's outcome, where so many other attempts are open or unknown."""
        if self.ending is Ending.SUCCESS:
            return True
        return self.ending is Ending.FAILURE and (self.final or not earlier)


def judged(effect: EffectPlan, result: object) -> Verdict:
    """What an effect function returned, or the exception that it raised."""
    if isinstance(result, NotSent):
        return Verdict(Ending.NOT_SENT, error=name_of(result), error_text=text_of(result))
    if isinstance(result, BaseException):
        return Verdict(Ending.UNKNOWN, error=name_of(result), error_text=text_of(result))
    if isinstance(result, Failed):
        if type(result.outcome) in effect.refusals:
            return Verdict(Ending.FAILURE, result.outcome, result.final)
    elif isinstance(result, Outcome) and type(result) in effect.successes:
        return Verdict(Ending.SUCCESS, result)
    return judged(effect, MisuseError(_undeclared(result)))


def _undeclared(result: object) -> str:
    returned = f"Failed({type(result.outcome).__name__})" if isinstance(result, Failed) else type(result).__name__
    return f"its function returned {returned}, which it does not declare; whether it was done is not known"


def told(plan: ActorPlan, row: EffectRow, ending: Ending, message: Outcome, number: int = FIRST) -> Told:
    """The outcome as bytes. Raises `EncodeFailed` for one that does not fit its schema."""
    kind = contract_name(type(message))
    codec = plan.outcomes[kind]
    return Told(row, ending, message, kind, codec.schema.fingerprint, codec.encode(message), number)


def unknown(plan: ActorPlan, effect: EffectPlan, row: EffectRow, doubtful: int) -> Told:
    """The attempts are over, and nobody knows."""
    message = effect.unknown(
        idempotency_key=to_text(row.effect_id),
        attempts=row.attempts,
        sent=doubtful > 0,
        error=f"{row.error}: {row.error_text}" if row.error else "",
    )
    return told(plan, row, Ending.UNKNOWN, message)


def contradicts(before: Ending, verdict: Verdict) -> bool:
    """Whether an answer that comes after an outcome was told is another one, and must be told, too.

    A refusal that is not final says nothing: it is of its own attempt only.
    """
    return verdict.ending is not before and verdict.settles(earlier=1)


def again_at(dependency: Dependency, row: EffectRow, instant: Instant) -> Instant:
    """When an effect is asked again whose attempts so far have no answer."""
    tier = dependency.tiers[min(row.attempts, len(dependency.tiers)) - 1]
    digest = blake2b(row.effect_id, digest_size=4, salt=row.attempts.to_bytes(8, "big")).digest()
    return instant + micros(tier * (1 + dependency.jitter * int.from_bytes(digest, "big") / 0xFFFFFFFF))
