"""Calling the outside world: what an effect function is given, what it may answer, within which limits it runs (R29).

An effect is asked for in a handler (`context.effect(request)`), kept in the commit, and done after it, at least once,
always under the same idempotency key. What became of it comes back as a message.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from magnetar.schemas import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.schemas import Unknown

O_co = TypeVar("O_co", bound=Outcome, covariant=True)


@dataclass(frozen=True, slots=True)
class Failed(Generic[O_co]):
    """The other side has refused: an answer of an effect function.

    `final`: refused for good under this idempotency key, so that no attempt with it, earlier or later, has succeeded or
    will. Not final: this attempt did nothing, and earlier ones are another matter; as long as one of them may have been
    done, the refusal counts as unknown, and the other side is asked again.
    """

    outcome: O_co
    final: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """One attempt at an effect.

    `idempotency_key` (a UUID as text) is the same in all attempts, also of other workers: hand it to the other side.
    `attempt` counts from 1; within `timeout` seconds the function must have an answer, or give up by itself.
    """

    idempotency_key: str
    actor: str
    key: str
    attempt: int
    timeout: float
    correlation_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaking:
    """When a dependency is left alone. Checked with the app.

    Of the last `window` calls, `least` at least, a `share` failed: no call for `opens` seconds. Then `probes` calls at
    a time try whether it is back; the first that succeeds ends it, the first that fails begins it anew.
    A failed call is one without an answer: a refusal is an answer.
    """

    share: float = 0.5
    window: int = 20
    least: int = 5
    opens: float = 5.0
    probes: int = 1


@dataclass(frozen=True, slots=True)
class Dependency:
    """Somebody outside who is called, and the limits of that, in each worker process. Checked with the app.

    threads: so many calls at a time, in a bulkhead of their own.
    queue: so many effects may wait in a shard; who asks for one more is parked until there is room, at no attempt.
    timeout: after so many seconds without an answer a call counts as unknown.
    rate, burst: calls a second, and how many at once after a pause.
    attempts: how often it is tried in all; then the actor is told that nobody knows.
    tiers: seconds to wait before each further attempt, the last one repeated; ascending.
    jitter: by which share a wait is lengthened at most.
    breaking: when it is left alone for a while. Its queue waits then, and no attempt is spent.
    """

    name: str
    threads: int = 4
    queue: int = 1_000
    timeout: float = 10.0
    rate: float = 50.0
    burst: int = 10
    attempts: int = 8
    tiers: tuple[float, ...] = (1.0, 5.0, 30.0, 120.0)
    jitter: float = 0.1
    breaking: Breaking = field(default_factory=Breaking)


class EffectDeclared(NamedTuple):
    """An effect function as its actor declares it."""

    function: Callable[..., Any]
    dependency: Dependency
    unknown: type[Unknown]
