"""`python -m magnetar.chaos.zoo.cluster.inside OUT DATA SEED BUG…`: plays the first of these bugs, and leaves a record.

One bug a cluster: topics and store remember what it did.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.chaos.playing.inside import enter
from magnetar.chaos.playing.session import Fitting, session
from magnetar.chaos.zoo.cluster.broken import program
from magnetar.chaos.zoo.cluster.bug import all_bugs, plays

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from magnetar.chaos.playing.stage import Tell
    from magnetar.chaos.record.shape import Record

MODULE = "magnetar.chaos.zoo.cluster.inside"
RAN = "ran.txt"
"""In the data of the run, and with the logs of its record."""


def first_of(names: Sequence[str], seed: int, out: Path, data: Path, tell: Tell) -> Iterator[Record]:
    """See the module."""
    bug = all_bugs()[names[0]]
    _, scenario = plays()[bug.play]
    tell(f"workers with a bug: {bug.name}")
    return session([scenario], seed, out, data, tell, Fitting(program(bug, data / RAN)))


if __name__ == "__main__":
    enter(MODULE, first_of)
