"""What a user declares: an actor is a name, a type of state, and functions that handle messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from magnetar.runtime.effects import EffectDeclared
from magnetar.runtime.policy import Policy
from magnetar.schemas import Command, Effect, Event, Message, State

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from magnetar.runtime.context import Context
    from magnetar.runtime.effects import Call, Dependency, Failed
    from magnetar.runtime.row import Row
    from magnetar.schemas import Outcome, Unknown

S = TypeVar("S", bound=State)
M = TypeVar("M", bound=Message)
E = TypeVar("E", bound=Effect)
R = TypeVar("R", bound="Outcome | Failed[Any]")


class Actor(Generic[S]):
    """A declared actor: `orders = Actor("orders", Order)`, and functions marked with `@orders.handles`.

    `publishes` names the events that its handlers may publish on `<name>-events`; `rows` the application's own
    tables they may write. Nothing is checked here: an app checks all its actors together when it starts.
    """

    def __init__(
        self,
        name: str,
        state: type[S],
        *,
        publishes: Sequence[type[Event]] = (),
        rows: Sequence[type[Row]] = (),
        policy: Policy | None = None,
    ) -> None:
        """Declare; `name` is also the topic (`[a-z][a-z0-9-]*`)."""
        self.name = name
        self.state = state
        self.publishes = tuple(publishes)
        self.rows = tuple(rows)
        self.policy = policy or Policy()
        self.handlers: list[Callable[..., Any]] = []
        self.effects: list[EffectDeclared] = []

    def handles(self, handler: Callable[[S, M, Context], S]) -> Callable[[S, M, Context], S]:
        """Declare a pure function of (state, message, context) as the handler of that message's type.

        The type is read from the annotation of its second parameter. The function itself is returned unchanged.
        """
        self.handlers.append(handler)
        return handler

    def effect(
        self, dependency: Dependency, *, unknown: type[Unknown]
    ) -> Callable[[Callable[[E, Call], R]], Callable[[E, Call], R]]:
        """Declare a function of (request, call) that does an effect: `@payments.effect(psp, unknown=ChargeUnknown)`.

        It runs in a thread of the dependency's bulkhead, after the commit that asks for it, at least once, within the
        dependency's limits. The types are read from its annotations: the request's, and the outcomes' that it returns,
        bare or as `Failed[…]`. `unknown` is told when the attempts are over without an answer. Each outcome, and
        `unknown`, needs a handler of this actor. The function itself is returned unchanged.
        """

        def declare(function: Callable[[E, Call], R]) -> Callable[[E, Call], R]:
            self.effects.append(EffectDeclared(function, dependency, unknown))
            return function

        return declare

    def __repr__(self) -> str:
        """`Actor('orders', Order)`."""
        return f"Actor({self.name!r}, {self.state.__name__})"


@dataclass(frozen=True, slots=True)
class Remote:
    """A service that lives elsewhere: it takes commands on topic `name` and publishes events on `<name>-events`."""

    name: str
    takes: tuple[type[Command], ...] = ()
    publishes: tuple[type[Event], ...] = ()

    def __init__(
        self, name: str, *, takes: Sequence[type[Command]] = (), publishes: Sequence[type[Event]] = ()
    ) -> None:
        """Declare; partitions and schemas are read from the broker or from the deployment of that service."""
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "takes", tuple(takes))
        object.__setattr__(self, "publishes", tuple(publishes))
