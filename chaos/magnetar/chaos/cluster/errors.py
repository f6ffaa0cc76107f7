"""What can go wrong with a cluster for chaos.

ChaosError
├── asked for       ClockFixed · ForeignTarget · LimitsMissing · NodeMissing · NotEnclosed · ProfileRefused
└── on the way      CommandFailed · DiskInMemory · DiskMissing · NoOwner · StationFailed
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.runtime.errors import MagnetarError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class ChaosError(MagnetarError):
    """A cluster for chaos could not be made, or not be harmed as asked; the subclass says why."""


class ProfileRefused(ChaosError):
    """A profile that cannot run."""

    def __init__(self, name: str, reason: str) -> None:
        """Name it and say why."""
        super().__init__(f"profile {name} cannot run: {reason}")


class NodeMissing(ChaosError):
    """Nobody goes by this name or address."""

    def __init__(self, name: str, there: Sequence[str]) -> None:
        """Name it, and all who are there."""
        self.name = name
        super().__init__(f"there is no {name} in this cluster: it has {', '.join(there)}")


class ForeignTarget(ChaosError):
    """A process, path or namespace that this run has not made. It is left alone."""

    def __init__(self, what: str, reason: str) -> None:
        """Say what was meant, and how it is known to be another's."""
        self.what = what
        super().__init__(f"{what} is not this run's and is left alone: {reason}")


class NotEnclosed(ChaosError):
    """This process shares its network or its processes with the machine: nothing may be made or harmed from here."""

    def __init__(self, reason: str) -> None:
        """Say what it shares."""
        super().__init__(f"not in an enclosure: {reason}; start it by `enclosure.enter`")


class CommandFailed(ChaosError):
    """A system command that lays out, cuts or mounts something."""

    def __init__(self, command: Sequence[str], said: str) -> None:
        """The command and what it said."""
        self.command = tuple(command)
        self.said = said
        super().__init__(f"{' '.join(command)}: {said}")


class ClockFixed(ChaosError):
    """A wall clock that cannot be made to jump."""

    def __init__(self, name: str, reason: str) -> None:
        """Whose, and why not."""
        super().__init__(f"the clock of {name} cannot jump: {reason}")


class LimitsMissing(ChaosError):
    """This machine has no control groups that would hold anybody back."""

    def __init__(self, reason: str) -> None:
        """Say what was found."""
        super().__init__(f"nobody can be held back: {reason}; be root, with control groups mounted")


class DiskMissing(ChaosError):
    """A node that has no disk of its own."""

    def __init__(self, name: str, there: Sequence[str]) -> None:
        """Name it, and those that have one."""
        super().__init__(f"{name} has no disk of its own: {', '.join(there)} have one")


class DiskInMemory(ChaosError):
    """A disk that is plain memory can be filled, and nothing else can be done to it."""

    def __init__(self, name: str, reason: str) -> None:
        """Whose, and why there is no file system on it."""
        super().__init__(f"the disk of {name} is plain memory ({reason}): be root, with loop devices and e2fsprogs")


class BackupMissing(ChaosError):
    """A disk that is to be put back to its backup was never backed up."""

    def __init__(self, name: str) -> None:
        """Whose."""
        super().__init__(f"there is no backup of the disk of {name}: back it up earlier in the scenario")


class StationFailed(ChaosError):
    """A process of the cluster did not come up, or not go."""

    def __init__(self, name: str, reason: str, log: Path | None = None) -> None:
        """Who, why, and where to read on."""
        super().__init__(f"{name}: {reason}" + ("" if log is None else f"; see {log}"))


class NoOwner(ChaosError):
    """Nobody plays the part that a fault is aimed at, at this moment."""

    def __init__(self, part: str, reason: str) -> None:
        """The part, and what was found instead."""
        super().__init__(f"nobody is {part}: {reason}")
