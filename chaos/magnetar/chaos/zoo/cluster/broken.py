"""`python -m magnetar.chaos.zoo.cluster.broken MODULE RAN worker …`: the product's command line, with a module's `BUG`.

Only the crew of a chaos cluster runs this, inside an enclosure; anywhere else it refuses. What the bug has changed is
noted in the file RAN when it first runs in a process, a line each: a bug whose line never ran has shown nothing.
"""

from __future__ import annotations

import sys
from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from magnetar.chaos.cluster import enclosure
from magnetar.chaos.cluster.errors import NotEnclosed
from magnetar.chaos.zoo.bug import broken

if TYPE_CHECKING:
    from collections.abc import Sequence

    from magnetar.chaos.zoo.cluster.bug import ClusterBug

MODULE = "magnetar.chaos.zoo.cluster.broken"


class Noted(Counter[str]):
    """Counts by name, and writes a name down when it is first counted."""

    def __init__(self, file: Path) -> None:
        """`file` may be that of other processes, too."""
        super().__init__()
        self._file = file

    def __setitem__(self, name: str, count: int) -> None:
        """See the class. A line is written at once and whole."""
        if name not in self:
            with self._file.open("ab", buffering=0) as file:
                file.write(f"{name}\n".encode())
        super().__setitem__(name, count)


def program(bug: ClusterBug, ran: Path) -> tuple[str, ...]:
    """What an interpreter is told in place of `magnetar`, for a worker with this bug: it is the `BUG` of its module."""
    return ("-m", MODULE, bug.module, str(ran))


def main(arguments: Sequence[str]) -> None:
    """Be `magnetar` with a bug; ends as that does. Raises `NotEnclosed` and `TargetGone`."""
    module, ran, *given = arguments
    if shared := enclosure.shared():
        raise NotEnclosed(shared)
    bug: ClusterBug = import_module(module).BUG
    with broken(bug.changes, Noted(Path(ran))):
        from magnetar.runtime.cli import main as magnetar  # noqa: PLC0415 - nothing of the product is run before

        sys.argv = ["magnetar", *given]
        magnetar()


if __name__ == "__main__":
    main(sys.argv[1:])
