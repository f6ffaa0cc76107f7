"""What the doctor says of each primitive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from magnetar.chaos.cluster.errors import CommandFailed
from magnetar.runtime.errors import MagnetarError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class NotHere(MagnetarError):
    """A primitive does not work on this machine; the message says why, and what to do."""


class Finding(msgspec.Struct, frozen=True):
    """One primitive: whether it works here, what was seen or why not, and which faults need it.

    `vital`: without it there is no cluster at all.
    """

    name: str
    works: bool
    seen: str
    needed_for: str
    vital: bool = False


@dataclass(frozen=True, slots=True)
class Probe:
    """How a primitive is tried. `attempt` says what it saw, and raises `NotHere` or what its tools raise."""

    name: str
    needed_for: str
    attempt: Callable[[], str]
    vital: bool = False

    def finding(self) -> Finding:
        """Try it."""
        try:
            return Finding(self.name, True, self.attempt(), self.needed_for, self.vital)  # noqa: FBT003 - it works
        except CommandFailed as problem:
            return self.failed(f"{problem.command[0]} said: {problem.said}")
        except (MagnetarError, OSError) as problem:
            return self.failed(" ".join(str(problem).split()))

    def failed(self, why: str) -> Finding:
        """It does not work, for this reason."""
        return Finding(self.name, False, why, self.needed_for, self.vital)  # noqa: FBT003 - it does not


def can_run(findings: Iterable[Finding]) -> bool:
    """Whether a cluster can be made here at all."""
    return all(finding.works for finding in findings if finding.vital)
