"""`python -m magnetar.chaos.tuning.inside OUT DATA SEED SCENARIO…`: plays them without our settings; see `untuned`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.chaos.cluster.profile import PROFILES
from magnetar.chaos.playing.inside import enter
from magnetar.chaos.playing.session import Fitting, session
from magnetar.chaos.scenarios.reading import chosen
from magnetar.chaos.tuning.untuned import BUG, as_shipped
from magnetar.chaos.zoo.cluster.broken import program
from magnetar.chaos.zoo.cluster.inside import RAN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from magnetar.chaos.playing.stage import Tell
    from magnetar.chaos.record.shape import Record

MODULE = "magnetar.chaos.tuning.inside"


def untuned(names: Sequence[str], seed: int, out: Path, data: Path, tell: Tell) -> Iterator[Record]:
    """See the module."""
    profiles = {name: as_shipped(profile) for name, profile in PROFILES.items()}
    return session(chosen(names), seed, out, data, tell, Fitting(program(BUG, data / RAN), profiles))


if __name__ == "__main__":
    enter(MODULE, untuned)
