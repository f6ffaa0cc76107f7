"""Several scenarios on one cluster, for as long as all is well on it: each begins with proof that it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from magnetar.chaos.cluster.crew import PROGRAM
from magnetar.chaos.cluster.profile import PROFILES
from magnetar.chaos.cluster.reporting import keep_logs
from magnetar.chaos.playing.recording import recorded
from magnetar.chaos.playing.run import play
from magnetar.chaos.playing.stage import staged
from magnetar.chaos.record.keeping import write
from magnetar.chaos.scenarios.spec import SCARS
from magnetar.chaos.scenarios.writing import written
from magnetar.chaos.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from magnetar.chaos.cluster.profile import Profile
    from magnetar.chaos.playing.stage import Stage, Tell
    from magnetar.chaos.record.shape import Record
    from magnetar.chaos.scenarios.spec import Scenario

LOGS, SCENARIO = "logs", "scenario.yaml"
_TOLD = "provider.jsonl"
"""What the payment provider did."""


@dataclass(frozen=True, slots=True)
class Fitting:
    """How a cluster is fitted out. `program`: what its workers are, as an interpreter is told."""

    program: tuple[str, ...] = PROGRAM
    profiles: Mapping[str, Profile] = field(default_factory=lambda: PROFILES)


USUAL: Final = Fitting()


def session(
    scenarios: Sequence[Scenario], seed: int, out: Path, data: Path, tell: Tell, fitting: Fitting = USUAL
) -> Iterator[Record]:
    """Play each, and leave its record in a folder of `out` that has the record's id, with a file to play it again.

    The profile is the first one's; the session ends before one of another or when a disk is nearly full, and after one
    that was not valid: nobody can say what that has left behind; and after one whose faults leave something behind for
    good. Raises what a cluster raises that cannot be made.
    """
    profile = scenarios[0].profile
    elders = any(scenario.load.older for scenario in scenarios)
    with staged(fitting.profiles[profile], data, tell, fitting.program, elders=elders) as stage:
        for scenario in scenarios:
            if scenario.profile != profile or not stage.has_room(scenario):
                return
            tell(f"{scenario.id}: {scenario.title}")
            stage.anew()
            record = _one(stage, scenario, seed, out)
            yield record
            if record.verdict is not Verdict.VALID or any(isinstance(deed, SCARS) for deed in scenario.faults):
                return


def _one(stage: Stage, scenario: Scenario, seed: int, out: Path) -> Record:
    try:
        played = play(stage, scenario, seed)
    except Exception:
        keep_logs(stage.folder, out / f"{scenario.id}-{LOGS}", _TOLD)  # nobody expected it: there will be no record
        raise
    stage.tell("looking for what is lost, out of order, done twice or paid wrongly")
    kept = recorded(stage, played)
    folder = out / kept.record.id
    write(folder, kept)
    (folder / SCENARIO).write_text(written(scenario), encoding="utf-8")
    keep_logs(stage.folder, folder / LOGS, _TOLD)
    return kept.record
