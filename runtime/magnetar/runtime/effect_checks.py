"""What is wrong with declared effects, found before anything runs. Each problem is a sentence with what to do."""

from __future__ import annotations

from itertools import pairwise
from math import isfinite
from types import FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple, get_args, get_origin

from magnetar.runtime.annotations import hint_of, where
from magnetar.runtime.effects import Dependency, EffectDeclared, Failed
from magnetar.schemas import Effect, Outcome, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from magnetar.runtime.actor import Actor
    from magnetar.runtime.checks import Declaration
    from magnetar.runtime.effects import Breaking

_PARAMETERS = 2
_NAME_LIMIT = 63


class EffectFound(NamedTuple):
    """An effect as its function's annotations say it. `successes` are returned bare, `refusals` as `Failed[…]`."""

    declared: EffectDeclared
    request: type[Effect]
    successes: tuple[type[Outcome], ...]
    refusals: tuple[type[Outcome], ...]

    def outcomes(self) -> tuple[type[Outcome], ...]:
        """Everything that may be told of it."""
        return (*self.successes, *self.refusals, self.declared.unknown)


class _Unreadable(Exception):
    """A declaration of which a sentence can be told, and nothing else."""


def read_effects(actor: Actor[Any]) -> tuple[dict[type[Effect], EffectFound], list[str]]:
    """The actor's effects by their requests, and what is wrong with the others."""
    found: dict[type[Effect], EffectFound] = {}
    problems: list[str] = []
    for declared in actor.effects:
        try:
            effect = _read(declared)
        except _Unreadable as error:
            problems.append(f"effect {where(declared.function)} of actor {actor.name!r}{error}")
            continue
        other = found.setdefault(effect.request, effect)
        if other is not effect:
            both = f"{where(other.declared.function)} and {where(declared.function)}"
            problems.append(f"actor {actor.name!r} has two functions for {effect.request.__name__}: {both}. Keep one.")
    return found, problems


def _read(declared: EffectDeclared) -> EffectFound:
    function = declared.function
    if not isinstance(function, FunctionType) or function.__code__.co_argcount != _PARAMETERS:
        raise _Unreadable(" must be a function of (request, call).")
    request = _hint(function, function.__code__.co_varnames[0])
    if not (isinstance(request, type) and issubclass(request, Effect)):
        raise _Unreadable(f" takes {request!r}, which is no Effect; derive it from one.")
    unknown: Any = declared.unknown
    if not (isinstance(unknown, type) and issubclass(unknown, Unknown)) or unknown is Unknown:
        raise _Unreadable(f": unknown={unknown!r} is no message of its own; derive a class from Unknown.")
    returned = _hint(function, "return")
    parts = get_args(returned) if get_origin(returned) is not Failed else ()
    parts = parts or (returned,)
    refused = tuple(_told(get_args(part)[0]) for part in parts if get_origin(part) is Failed)
    return EffectFound(
        declared, request, tuple(_told(part) for part in parts if get_origin(part) is not Failed), refused
    )


def _hint(function: FunctionType, name: str) -> Any:  # noqa: ANN401 - whatever stands there
    hint, problem = hint_of(function, name)
    if problem:
        raise _Unreadable(f": {problem}")
    return hint


def _told(part: object) -> type[Outcome]:
    if isinstance(part, type) and issubclass(part, Outcome) and not issubclass(part, Unknown) and part is not Outcome:
        return part
    raise _Unreadable(
        f" returns {part!r}: it returns outcomes, each a class derived from Outcome, bare or as Failed[…]; "
        "raise for what is not known."
    )


def effect_problems(declaration: Declaration) -> Iterator[str]:
    """Outcomes that nobody handles or tells, and limits that cannot be kept."""
    for actor, found in declaration.effects.items():
        handled = {kind for kind in declaration.handlers[actor] if issubclass(kind, Outcome)}
        told = {kind: effect for effect in found.values() for kind in effect.outcomes()}
        for kind, effect in told.items():
            if kind not in handled:
                yield (
                    f"effect {where(effect.declared.function)} may tell {kind.__name__}, which actor {actor!r} "
                    "does not handle; write its handler."
                )
        for kind in sorted(handled - told.keys(), key=lambda each: each.__name__):
            yield f"actor {actor!r} handles {kind.__name__}, which no effect of it tells; name it in what one returns."
    yield from _dependencies(declaration)


def _dependencies(declaration: Declaration) -> Iterator[str]:
    known: dict[str, Dependency] = {}
    for found in declaration.effects.values():
        for effect in found.values():
            dependency = effect.declared.dependency
            other = known.setdefault(dependency.name, dependency)
            if other is dependency:
                yield from (f"dependency {dependency.name!r}: {problem}" for problem in _limits(dependency))
            elif other != dependency:
                yield f"dependency {dependency.name!r} is declared with other limits a second time; use one value."


def _limits(dependency: Dependency) -> Iterator[str]:
    if not 0 < len(dependency.name) <= _NAME_LIMIT or not dependency.name.isprintable():
        yield f"its name becomes a label; take 1 to {_NAME_LIMIT} printable characters."
    counts = (dependency.threads, dependency.queue, dependency.burst, dependency.attempts)
    if min(counts) < 1:
        yield f"threads, queue, burst and attempts are {counts}; each is 1 at least."
    if not (
        isfinite(dependency.timeout) and dependency.timeout > 0 and isfinite(dependency.rate) and dependency.rate > 0
    ):
        yield f"its timeout is {dependency.timeout} s and its rate {dependency.rate}; both are numbers above 0."
    tiers = dependency.tiers
    if not tiers or min(tiers) <= 0 or any(later <= earlier for earlier, later in pairwise(tiers)):
        yield f"its tiers are {tiers}; name the seconds to wait, ascending, each once."
    if not 0 <= dependency.jitter <= 1:
        yield f"its jitter is {dependency.jitter}; it is a share of the time to wait, from 0 to 1."
    yield from _breaking(dependency.breaking)


def _breaking(breaking: Breaking) -> Iterator[str]:
    if not 0 < breaking.share <= 1:
        yield f"it breaks at a share of {breaking.share}; it is above 0, and 1 at most."
    if not 1 <= breaking.least <= breaking.window:
        yield f"it breaks after {breaking.least} of the last {breaking.window} calls; take 1 at least, and not more."
    if not (isfinite(breaking.opens) and breaking.opens > 0) or breaking.probes < 1:
        yield f"it opens for {breaking.opens} s with {breaking.probes} probes; take more than 0 s, and 1 probe."
