"""An app: actors and remotes that belong together. It is checked as a whole, and every problem is told at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from magnetar.runtime.checks import Declaration, problems_of
from magnetar.runtime.errors import AppInvalid
from magnetar.runtime.wiring import Wiring, compile_wiring

if TYPE_CHECKING:
    from collections.abc import Sequence

    from magnetar.runtime.actor import Actor, Remote


class App:
    """`shop = App("shop", orders, stock, remotes=[Remote("mail", takes=[SendMail])])`."""

    def __init__(self, name: str, *actors: Actor[Any], remotes: Sequence[Remote] = (), contracts: int = 0) -> None:
        """Declare; `name` is also the broker namespace (`[a-z][a-z0-9-]*`).

        `contracts`: raised by a release that writes what the one before cannot read. Workers with a lower number then
        take no shard any more that one with a higher number has had (R16).
        """
        self.name = name
        self.contracts = contracts
        self.actors = actors
        self.remotes = tuple(remotes)

    def wire(self) -> Wiring:
        """Check and compile the app. Raises `AppInvalid` with every problem and what to do about it."""
        declaration = Declaration.read(self.name, self.actors, self.remotes)
        problems = problems_of(declaration)
        if problems:
            raise AppInvalid(self.name, problems)
        return compile_wiring(self.contracts, declaration)

    def __repr__(self) -> str:
        """`App('shop', orders, stock)`."""
        return f"App({', '.join([repr(self.name), *(actor.name for actor in self.actors)])})"
