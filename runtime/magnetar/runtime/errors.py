"""What a user of the framework can meet.

Ports and contracts have their own trees (`bus.port`, `store.port`, `magnetar.schemas`).

```
MagnetarError ─┬─ AppInvalid          the declaration is wrong; every problem at once
               ├─ MisuseError         a handler, client or test asked for something that cannot be
               ├─ HandlerFailed       a handler raised, or returned what is no state of its actor
               ├─ LayoutDiffers       the broker's partition counts are not the declared ones (R31)
               ├─ Unhandleable        a delivered message cannot be handled: unreadable, keyless, lost, refused
               ├─ ShardLost           a question could not be answered here: another worker owns the key now
               └─ BrokenPromise       a run-time assertion of the protocol failed: a bug; nothing was committed
```
"""

from __future__ import annotations


class MagnetarError(Exception):
    """Something Magnetar cannot go on with; the message says what, to what, and what to do."""


class AppInvalid(MagnetarError):
    """The app cannot start: its declaration has problems."""

    def __init__(self, app: str, problems: list[str]) -> None:
        """`problems` are full sentences, each with what to do."""
        lines = "\n".join(f"  {number}. {problem}" for number, problem in enumerate(problems, 1))
        super().__init__(f"app {app!r} cannot start, {len(problems)} problem(s):\n{lines}")
        self.problems = problems


class MisuseError(MagnetarError):
    """A call that can never work as written; the message says what to write instead."""


class HandlerFailed(MagnetarError):
    """A handler raised. Nothing of its message was committed or acknowledged."""

    def __init__(self, actor: str, key: str, type_: str, message_id: str, cause: BaseException) -> None:
        """Names the message; the handler's exception is the `__cause__`."""
        super().__init__(
            f"actor {actor!r}: handling {type_} {message_id} for key {key!r} raised {type(cause).__name__}: {cause}. "
            "Nothing of it is committed or acknowledged; mend the handler and start the worker again."
        )
        self.actor, self.key, self.type, self.message_id = actor, key, type_, message_id


class Unhandleable(MagnetarError):
    """A delivered message cannot be handled. It stays unacknowledged; nothing behind it in its partition is applied."""

    def __init__(self, actor: str, source: str, position: str, reason: str) -> None:
        """`source` is `topic/partition`, `position` the broker's."""
        super().__init__(f"actor {actor!r}: message at {position} of {source} cannot be handled: {reason}")
        self.actor, self.source, self.position = actor, source, position


class LayoutDiffers(MagnetarError):
    """A topic's partition count on the broker is not the declared one: keys would go to other shards (R31)."""


class ShardLost(MagnetarError):
    """The shard of this key went to another worker before the question was answered. Ask again."""


class BrokenPromise(MagnetarError):
    """A run-time assertion of the protocol failed. The worker stops before it can commit; this is a bug in Magnetar."""
