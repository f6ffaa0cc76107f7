"""What a user of the framework can meet.

Ports and contracts have their own trees (`bus.port`, `store.port`, `magnetar.schemas`).

```
MagnetarError ─┬─ AppInvalid          the declaration is wrong; every problem at once
               ├─ MisuseError         a handler, client or test asked for something that cannot be
               ├─ TemporaryError      raised by a handler: not now; it is tried again
               ├─ PermanentError      raised by a handler: never; the message becomes a dead letter at once
               ├─ NotSent             raised by an effect function: this attempt has not reached the other side
               ├─ KeyParked           a question waits behind a failure of its key; it is answered later, not here
               ├─ Crashed             never raised: why a message is a dead letter that has ended its worker too often
               ├─ HandlerFailed       a handler raised, or returned what is no state of its actor
               ├─ LayoutDiffers       the broker's partition counts are not the declared ones (R31)
               ├─ Unhandleable        a message that the store takes not even as a dead letter: the worker stops
               ├─ ShardLost           a question could not be answered here: another worker owns the key now
               └─ BrokenPromise       a run-time assertion of the protocol failed: a bug; nothing was committed
```
"""

from __future__ import annotations

from math import isfinite


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


class TemporaryError(MagnetarError):
    """Raised by a handler: not now. Nothing of the message is kept, and it is tried again as the actor's policy says.

    `raise TemporaryError("rates for 2026-03 are not there yet", delay=30)`. Any other exception, but `PermanentError`,
    is taken for a temporary one too, until the message's attempts are used up.
    """

    def __init__(self, text: str, *, delay: float | None = None) -> None:
        """`text` is kept for operators: what is missing, and where it should come from.

        `delay`: seconds until it is tried again at the earliest; None: as the policy's tiers say. Raises `MisuseError`
        for a delay that is no time to wait.
        """
        if delay is not None and not (isfinite(delay) and delay >= 0):
            message = f"TemporaryError({text!r:.200}, delay={delay}): a delay is a number of seconds, 0 or more"
            raise MisuseError(message)
        super().__init__(text)
        self.delay = delay


class PermanentError(MagnetarError):
    """Raised by a handler: trying again cannot help. The message becomes a dead letter, its bytes and this text kept.

    What its key does then is the policy's `afterwards`: it waits for an operator, or goes on without the message.
    For a no that the business knows of (not enough money), publish an event instead: nobody has to mend that.
    """

    def __init__(self, text: str) -> None:
        """`text` is kept for operators: what is wrong with the message, and what would mend it."""
        super().__init__(text)


class NotSent(MagnetarError):
    """Raised by an effect function: this attempt has surely not reached the other side. It is made again later.

    `raise NotSent(f"no connection to {url}: {error}") from error`. Only where that is certain: any other exception says
    that nobody knows, and that is what is told when the attempts are over.
    """

    def __init__(self, text: str) -> None:
        """`text` is kept for operators: what stood in the way."""
        super().__init__(text)


class KeyParked(MagnetarError):
    """An `ask` of this process waits in the store behind a failure of its key. It is handled in turn, exactly once.

    The answer comes too late for this call: ask again later what became of it, not to do it a second time.
    """

    def __init__(self, actor: str, key: str, why: str) -> None:
        """`why`: what the key waits for, as a clause ("Pay … failed 3 times and is tried again at …")."""
        super().__init__(
            f"{actor}/{key} is parked: {why}. What was asked waits behind it, is handled in turn, and is not answered "
            "here; look at the state later instead of asking it again"
        )
        self.actor, self.key = actor, key


class Crashed(MagnetarError):
    """Why a message waits, or is a dead letter: its worker ended while it had it in hand. Nothing of it was kept.

    Handling it ended the process (by a signal, `os._exit`, or for want of memory), or did not return within the
    policy's deadline; or somebody else ended the process at just that moment.
    """

    def __init__(self, crashes: int) -> None:
        """How often that was."""
        often = "once" if crashes == 1 else f"{crashes} times"
        super().__init__(f"its worker ended while it had this message in hand, {often}")


class HandlerFailed(MagnetarError):
    """A handler raised, or its message cannot be handled. Nothing of that attempt is kept.

    Raised by `World`, unless it parks, and to who has asked in the worker's own process. What becomes of the message is
    the policy's: it is tried again later, or is a dead letter.
    """

    def __init__(self, actor: str, key: str, type_: str, message_id: str, cause: BaseException) -> None:
        """Names the message; the handler's exception is the `__cause__`."""
        super().__init__(
            f"actor {actor!r}: handling {type_} {message_id} for key {key!r} raised {type(cause).__name__}: {cause}. "
            "Nothing of this attempt is kept; a worker tries it again or makes it a dead letter, as the policy says."
        )
        self.actor, self.key, self.type, self.message_id = actor, key, type_, message_id


class Unhandleable(MagnetarError):
    """The store refuses a message's rows for their content, even those of its dead letter. The worker stops.

    It stays unacknowledged, and nothing behind it in its partition is applied. Look at what the database refuses.
    """

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
