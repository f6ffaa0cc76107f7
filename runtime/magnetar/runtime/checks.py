"""What is wrong with a declaration, found before anything runs. Each problem is a sentence with what to do."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf, isfinite
from types import CellType, CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

import msgspec

from magnetar.runtime.annotations import hint_of, where
from magnetar.runtime.effect_checks import EffectFound, effect_problems, read_effects
from magnetar.runtime.row import row_plan
from magnetar.schemas import (
    Command,
    ContractInvalid,
    Effect,
    Event,
    Message,
    Outcome,
    State,
    Timer,
    Unknown,
    contract_name,
    key_field,
    schema_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from magnetar.runtime.actor import Actor, Remote
    from magnetar.runtime.policy import Retry

_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")
_TABLE = re.compile(r"[a-z][a-z0-9_]{0,40}")
_PARAMETERS = 3
_LONGEST_TIER = 30 * 86_400
_ROUNDING = 1e-6


@dataclass
class Declaration:
    """A declaration as it was read: handlers by actor and message type, and the problems met while reading."""

    app: str
    actors: Sequence[Actor[Any]]
    remotes: Sequence[Remote]
    handlers: dict[str, dict[type[Message], Callable[..., Any]]] = field(default_factory=dict)
    effects: dict[str, dict[type[Effect], EffectFound]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, app: str, actors: Sequence[Actor[Any]], remotes: Sequence[Remote]) -> Declaration:
        """Read every handler's annotations."""
        declaration = cls(app, actors, remotes)
        for actor in actors:
            table = declaration.handlers.setdefault(actor.name, {})
            for handler in actor.handlers:
                declaration._enter(actor, handler, table)
            declaration.effects[actor.name], problems = read_effects(actor)
            declaration.problems += problems
        return declaration

    def _enter(
        self, actor: Actor[Any], handler: Callable[..., Any], table: dict[type[Message], Callable[..., Any]]
    ) -> None:
        kind, problem = _message_type(actor, handler)
        if kind is None:
            self.problems.append(problem)
        elif kind in table:
            self.problems.append(
                f"actor {actor.name!r} has two handlers for {kind.__name__}: "
                f"{where(table[kind])} and {where(handler)}. Keep one."
            )
        else:
            table[kind] = handler

    def taken(self) -> Iterator[tuple[str, type[Message]]]:
        """(actor, message type) of every handler."""
        for actor, table in self.handlers.items():
            for kind in table:
                yield actor, kind


def _message_type(actor: Actor[Any], handler: Callable[..., Any]) -> tuple[type[Message] | None, str]:
    """The type a handler takes, or None and why not."""
    start = f"handler {where(handler)} of actor {actor.name!r}"
    if not isinstance(handler, FunctionType) or handler.__code__.co_argcount != _PARAMETERS:
        return None, f"{start} must be a function of (state, message, context)."
    name = handler.__code__.co_varnames[1]
    hint, problem = hint_of(handler, name)
    if problem:
        return None, f"{start}: {problem}"
    if not (isinstance(hint, type) and issubclass(hint, (Command, Event, Timer, Outcome))):
        return None, f"{start} takes {hint!r}, which is no Command, Event, Timer or Outcome; derive it from one."
    return hint, ""


def problems_of(declaration: Declaration) -> list[str]:
    """Every problem of a declaration, in the order a reader would mend them."""
    found = list(declaration.problems)
    for check in (
        _names,
        _contracts,
        _defaults,
        _keys,
        _takers,
        _publishers,
        _referenced,
        _rows,
        _retries,
        effect_problems,
    ):
        found.extend(check(declaration))
    return found


def _names(declaration: Declaration) -> Iterator[str]:
    names = [actor.name for actor in declaration.actors] + [remote.name for remote in declaration.remotes]
    for name in [declaration.app, *names]:
        if not _NAME.fullmatch(name):
            yield f"the name {name!r} must match {_NAME.pattern}: it becomes a topic or a namespace."
    for name, count in Counter(names).items():
        if count > 1:
            yield f"{count} actors or remotes are called {name!r}; give each its own name."
    for actor in declaration.actors:
        if not actor.handlers:
            yield f"actor {actor.name!r} has no handler; mark a function with @….handles."
        if actor.policy.partitions < 1:
            yield f"actor {actor.name!r} has {actor.policy.partitions} partitions; give it at least one."


def _kinds(declaration: Declaration) -> Iterator[type[Any]]:
    for actor in declaration.actors:
        yield actor.state
        yield from actor.publishes
    for remote in declaration.remotes:
        yield from (*remote.takes, *remote.publishes)
    for _, kind in declaration.taken():
        yield kind
    for found in declaration.effects.values():
        yield from found


def _contracts(declaration: Declaration) -> Iterator[str]:
    named: dict[str, type[Any]] = {}
    for kind in _kinds(declaration):
        known = named.setdefault(contract_name(kind), kind)
        if known is not kind:
            yield (
                f"two contracts are called {contract_name(kind)!r}: {known.__module__}.{known.__qualname__} and "
                f"{kind.__module__}.{kind.__qualname__}. Rename one, or set __namespace__ on it."
            )
    for kind in named.values():
        if issubclass(kind, State) and _bare(kind):
            continue  # told by `_defaults`
        try:
            schema_of(kind)
        except ContractInvalid as error:
            yield str(error)


def _defaults(declaration: Declaration) -> Iterator[str]:
    for actor in declaration.actors:
        if not issubclass(actor.state, State):
            yield f"the state of actor {actor.name!r} is {actor.state.__name__}; derive it from State."
            continue
        for name in _bare(actor.state):
            yield (
                f"state {actor.state.__name__} of actor {actor.name!r}: field {name!r} has no default. "
                f"A key never seen is {actor.state.__name__}(); give the field one."
            )


def _bare(state: type[State]) -> list[str]:
    """The fields of a state that have no default."""
    return [entry.name for entry in msgspec.structs.fields(state) if entry.required]


def _keys(declaration: Declaration) -> Iterator[str]:
    remote = ((service.name, kind) for service in declaration.remotes for kind in service.takes)
    for owner, kind in dict.fromkeys((*declaration.taken(), *remote)):
        if not issubclass(kind, (Timer, Outcome)) and key_field(kind) is None:
            yield (
                f"{kind.__name__}, taken by {owner!r}, has no key; mark the field that names its entity: "
                "`order_id: Key`."
            )


def _takers(declaration: Declaration) -> Iterator[str]:
    takers: dict[type[Message], list[str]] = defaultdict(list)
    for actor, kind in declaration.taken():
        takers[kind].append(actor)
    for remote in declaration.remotes:
        for command in remote.takes:
            takers[command].append(f"remote {remote.name}")
    for kind, names in takers.items():
        if issubclass(kind, Command) and len(names) > 1:
            yield (
                f"command {kind.__name__} has {len(names)} takers: {', '.join(names)}. A command asks one "
                "actor; state a fact with an Event, or rename one."
            )


def _published(declaration: Declaration) -> set[type[Message]]:
    parties: list[Actor[Any] | Remote] = [*declaration.actors, *declaration.remotes]
    return {kind for party in parties for kind in party.publishes}


def _publishers(declaration: Declaration) -> Iterator[str]:
    published = _published(declaration)
    for actor, kind in declaration.taken():
        if issubclass(kind, Event) and kind not in published:
            yield (
                f"actor {actor!r} takes event {kind.__name__}, which nobody publishes; add it to "
                "publishes=[…] of an actor or a Remote."
            )


def _referenced(declaration: Declaration) -> Iterator[str]:
    """Messages that a handler's code names but that can go nowhere from there."""
    commands = {kind for _, kind in declaration.taken()} | {
        kind for remote in declaration.remotes for kind in remote.takes
    }
    for actor in declaration.actors:
        own = declaration.handlers[actor.name]
        for kind, place in mentioned(actor.handlers).items():
            if issubclass(kind, Command) and kind not in commands:
                yield (
                    f"{place} names command {kind.__name__}, which no actor or remote takes; write its "
                    "handler, or name it in a Remote."
                )
            elif issubclass(kind, Timer) and kind not in own:
                yield (
                    f"{place} names timer {kind.__name__}, which actor {actor.name!r} does not handle; "
                    "write its handler."
                )
            elif issubclass(kind, Effect) and kind not in declaration.effects[actor.name]:
                yield (
                    f"{place} names effect {kind.__name__}, for which actor {actor.name!r} has no function; "
                    "mark one with @….effect(…)."
                )
            elif issubclass(kind, Event) and kind not in own and kind not in actor.publishes:
                yield (
                    f"{place} names event {kind.__name__}, which actor {actor.name!r} may not publish; "
                    "add it to its publishes=[…]."
                )


def mentioned(handlers: Iterable[Callable[..., Any]]) -> dict[type[Message], str]:
    """Concrete message types named in the code of handlers, and of what they call in their own package.

    What they call are functions that they name or have closed over; not what they are handed as a value.
    """
    found: dict[type[Message], str] = {}
    for handler in handlers:
        seen: set[FunctionType] = set()
        waiting = [handler] if isinstance(handler, FunctionType) else []
        while waiting:
            function = waiting.pop()
            if function in seen:
                continue
            seen.add(function)
            for value in _globals_of(function):
                if isinstance(value, FunctionType) and _package(value) == _package(function):
                    waiting.append(value)
                elif (
                    isinstance(value, type)
                    and issubclass(value, Message)
                    and value not in {Message, Command, Event, Timer, Effect, Outcome, Unknown}
                ):
                    found.setdefault(value, where(handler))
    return found


def _package(function: FunctionType) -> str:
    return (function.__module__ or "").rpartition(".")[0] or function.__module__


def _globals_of(function: FunctionType) -> Iterator[Any]:
    """What the names in a function's code stand for, one attribute deep into modules, and what it has closed over."""
    yield from (cell.cell_contents for cell in function.__closure__ or () if not _is_empty(cell))
    names = tuple(_names_in(function.__code__))
    for name in names:
        value = function.__globals__.get(name)
        if isinstance(value, ModuleType):
            yield from (getattr(value, attribute) for attribute in names if hasattr(value, attribute))
        elif value is not None:
            yield value


def _is_empty(cell: CellType) -> bool:
    """Whether the variable has no value yet: a function that is only defined further down."""
    try:
        _ = cell.cell_contents
    except ValueError:
        return True
    return False


def _names_in(code: CodeType) -> Iterator[str]:
    """The names in a piece of code, and in what is defined inside it (a comprehension, a lambda)."""
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _names_in(inner)


def _rows(declaration: Declaration) -> Iterator[str]:
    tables: dict[str, str] = {}
    for actor in declaration.actors:
        for row in actor.rows:
            name = getattr(row, "__table__", "")
            if not _TABLE.fullmatch(name):
                yield f"row {row.__name__} of actor {actor.name!r}: __table__ = {name!r} must match {_TABLE.pattern}."
            elif tables.setdefault(name, row.__qualname__) != row.__qualname__:
                yield f"two row types write table {name!r}; give each its own."
            try:
                row_plan(row)
            except (TypeError, AttributeError) as error:
                yield f"row {row.__name__} of actor {actor.name!r}: {error}."


def _retries(declaration: Declaration) -> Iterator[str]:
    for actor in declaration.actors:
        for problem in (*_tier_problems(actor.policy.retry), *_count_problems(actor.policy.retry)):
            yield f"retry policy of actor {actor.name!r}: {problem}"
        if not 0 < actor.policy.deadline < inf:
            yield f"actor {actor.name!r} has a deadline of {actor.policy.deadline}; give its handlers some seconds."


def _tier_problems(retry: Retry) -> Iterator[str]:
    tiers = retry.tiers
    if not tiers:
        yield "it has no tiers; name at least one time to wait, in seconds."
    for delay in tiers:
        if not (isfinite(delay) and 0 < delay <= _LONGEST_TIER) or not _whole_milliseconds(delay):
            yield f"the tier {delay} is no time to wait; take whole milliseconds, in seconds, up to {_LONGEST_TIER}."
    if any(later <= earlier for earlier, later in pairwise(tiers)):
        yield f"its tiers {tiers} do not ascend; sort them, each once."


def _whole_milliseconds(delay: float) -> bool:
    return abs(delay * 1_000 - round(delay * 1_000)) < _ROUNDING


def _count_problems(retry: Retry) -> Iterator[str]:
    if retry.immediate < 1 or retry.attempts < retry.immediate:
        yield (
            f"{retry.immediate} immediate of {retry.attempts} attempts; try once at least, and not more often in a row "
            "than in all."
        )
    if retry.crashes < 1:
        yield f"its limit is {retry.crashes} crashes; one must be seen at least."
    if not 0 <= retry.jitter <= 1:
        yield f"its jitter is {retry.jitter}; it is a share of the time to wait, from 0 to 1."
    if retry.afterwards not in {"hold", "skip"}:
        yield f"afterwards is {retry.afterwards!r}; a key can 'hold' or 'skip' after a dead letter."
    if not 1 <= retry.alarm <= retry.bound:
        yield f"its alarm is at {retry.alarm} and its bound at {retry.bound}; the alarm comes first, at 1 or more."
