"""Smallest stories of what people asked. `GOOD` is what the checker must pass, `BAD` what it must fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.chaos.history import Committed
from tests.simulation.remains import NOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulation.remains import Remains

    Story = Callable[[Remains], None]


def commits(run: Remains, *answered: bytes, number: int = 0, shard: str = "orders/0") -> None:
    """A commit that answers these requests."""
    run.history.append(Committed(NOW, "w", shard, 1, 1, number, (), (), (), answered))


def asked_and_answered(run: Remains) -> None:
    """By one commit of its shard."""
    commits(run, run.asks(1), run.asks(2, "refused"))


def asked_in_vain(run: Remains) -> None:
    """Nobody has answered."""
    run.asks(1, "asked")


def answered_by_nobody(run: Remains) -> None:
    """It is done, and no commit has done it."""
    run.asks(1)


def answered_twice(run: Remains) -> None:
    """By two commits."""
    request = run.asks(1)
    commits(run, request)
    commits(run, request, number=1)


def answered_by_another_shard(run: Remains) -> None:
    """Not by the one that it was asked of; and so by nobody."""
    request = run.asks(1)
    commits(run, request, shard="orders/1")


def answered_without_being_asked(run: Remains) -> None:
    """Nobody has asked that."""
    commits(run, run.asks(1), bytes(16))


GOOD: dict[str, Story] = {"requests": asked_and_answered}
_PROMISE = "what a person asks is done once, and answered in the commit that does it"
BAD: dict[Story, tuple[str, str]] = {
    asked_in_vain: ("requests", _PROMISE),
    answered_by_nobody: ("requests", _PROMISE),
    answered_twice: ("requests", _PROMISE),
    answered_by_another_shard: ("requests", _PROMISE),
    answered_without_being_asked: ("requests", _PROMISE),
}
