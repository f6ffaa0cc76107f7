"""What a trial has found, told in a few lines."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from magnetar.chaos.trials.world import Happening

_LINES = 6
_WIDTH = 200


class Failure(NamedTuple):
    """How a run of the story ended badly. Two are the same in `kind`; `what` is told, `error` is its cause."""

    kind: str
    what: str
    error: BaseException | None = None


class NotSurvived(AssertionError):
    """The story broke: its text says under which troubles, and how to see it again.

    `seed` is None when it took no trouble at all.
    """

    def __init__(self, story: str, failure: Failure, seed: int | None, told: Sequence[Happening]) -> None:
        """`told`: the troubles that it took."""
        super().__init__("\n".join(_lines(story, failure, seed, told)))
        self.seed = seed


def failed(name: str, error: BaseException) -> Failure:
    """The failure that an exception of the story, its check or a handler is."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{last.filename.rpartition('/')[2]}:{last.lineno}"
    text = str(error).strip().partition("\n")[0] or last.line
    return Failure(f"{name} {type(error).__name__}", f"{name} fails ({where}): {type(error).__name__}: {text}", error)


def _lines(story: str, failure: Failure, seed: int | None, told: Sequence[Happening]) -> list[str]:
    what = f"{failure.what:.{_WIDTH}}"
    if seed is None:
        return [f"{story} fails without any trouble; no seed was tried:", f"  {what}"]
    lines = [f"  {happening.at!s:>15}  {happening.what}" for happening in told[:_LINES]]
    if len(told) > _LINES:
        lines.append(f"  {'':>15}  … and {len(told) - _LINES} more")
    return [
        f"{story} passes without trouble, but with seed {seed} it does not survive this:",
        *lines,
        f"  {'then':>15}  {what}",
        f"To see it again: survives(…, seeds=[{seed}])",
    ]
