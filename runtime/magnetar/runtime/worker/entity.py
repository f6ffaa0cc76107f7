"""One live order: a `pykka.Actor` without a thread. The loop runs it when it has mail (see docs/adr/0003)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, Protocol, TypeAlias

import pykka

if TYPE_CHECKING:
    from threading import Event as StopFlag

    from magnetar.schemas import Message, State


class Home(Protocol):
    """Where an entity lives: its shard, as far as an entity must know it."""

    name: str
    stopped: StopFlag

    def post(self, key: str, message: Message, reply: pykka.Future[Any] | None) -> None:
        """Put a message into the shard's mail. Any thread."""
        ...


class Inbox:
    """The inbox behind an `ActorRef`: it outlives the entity's passivation, for it only knows shard and key."""

    __slots__ = ("_home", "_key")

    def __init__(self, home: Home, key: str) -> None:
        """For one key of one shard."""
        self._home = home
        self._key = key

    def put(self, envelope: Any, /) -> None:  # noqa: ANN401 - Pykka's envelope has no public type
        """Called by `ActorRef.tell` and `.ask` in the caller's thread; `envelope` is Pykka's."""
        self._home.post(self._key, envelope.message, envelope.reply_to)

    def get(self) -> NoReturn:
        """Never: the loop takes the shard's mail, nobody reads one entity's inbox."""
        message = "an entity's inbox is read by its shard"
        raise NotImplementedError(message)

    def empty(self) -> bool:
        """Always: mail waits in the shard."""
        return True


class Entity(pykka.Actor):
    """A key's live state.

    `ask` and `tell` on its `ActorRef` go through the shard's mail and are answered after the commit.

    Lean on purpose: no thread, no inbox, no uuid, no registry entry; `actor_ref`, `actor_urn`, `actor_inbox` and
    `actor_stopped` are made when somebody asks. `touched` is the instant of the last message, in whole seconds.
    """

    __slots__ = ("home", "key", "state", "touched", "version")

    def __init__(self, home: Home, key: str, state: State, version: int) -> None:  # pyright: ignore[reportMissingSuperCall] - lean: see the class
        """Loaded by the loop."""
        self.home = home
        self.key = key
        self.state = state
        self.version = version
        self.touched = 0

    @property
    def actor_urn(self) -> str:  # type: ignore[override]  # pyright: ignore[reportIncompatibleVariableOverride] - lazy
        """`urn:magnetar:<actor>/<partition>/<key>`."""
        return f"urn:magnetar:{self.home.name}/{self.key}"

    @property
    def actor_inbox(self) -> Inbox:  # type: ignore[override]  # pyright: ignore[reportIncompatibleVariableOverride] - lazy
        """The way in: the shard's mail, addressed to this key."""
        return Inbox(self.home, self.key)

    @property
    def actor_stopped(self) -> StopFlag:  # type: ignore[override]  # pyright: ignore[reportIncompatibleVariableOverride] - lazy
        """Set when the shard leaves this worker."""
        return self.home.stopped

    @property
    def actor_ref(self) -> EntityRef:  # pyright: ignore[reportIncompatibleMethodOverride] - ActorRef is invariant
        """A new reference; it stays good after passivation."""
        return pykka.ActorRef(self)

    @staticmethod
    def _create_actor_inbox() -> NoReturn:
        message = "entities share their shard's mail"
        raise NotImplementedError(message)

    @staticmethod
    def _create_future() -> pykka.Future[Any]:
        return pykka.ThreadingFuture()

    def _start_actor_loop(self) -> None:
        message = "an entity is run by its worker's loop: see magnetar.runtime.worker.turn"
        raise NotImplementedError(message)


EntityRef: TypeAlias = "pykka.ActorRef[Entity]"
