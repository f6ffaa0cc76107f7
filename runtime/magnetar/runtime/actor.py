"""What a user declares: an actor is a name, a type of state, and functions that handle messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from magnetar.runtime.policy import Policy
from magnetar.schemas import Command, Event, Message, State

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from magnetar.runtime.context import Context
    from magnetar.runtime.row import Row

S = TypeVar("S", bound=State)
M = TypeVar("M", bound=Message)


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

    def handles(self, handler: Callable[[S, M, Context], S]) -> Callable[[S, M, Context], S]:
        """Declare a pure function of (state, message, context) as the handler of that message's type.

        The type is read from the annotation of its second parameter. The function itself is returned unchanged.
        """
        self.handlers.append(handler)
        return handler

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
