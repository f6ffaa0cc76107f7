"""Many seeds: verdicts, which faults took effect, which situations were met; and making a failure small."""

from __future__ import annotations

import logging
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import TYPE_CHECKING

from magnetar.chaos.simulation.run import Outcome, Verdict, simulate
from magnetar.chaos.simulation.situations import SITUATIONS
from magnetar.chaos.simulation.strikes import STRIKES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from magnetar.chaos.simulation.nemesis import Planned

_SHARE = 25
"""Seeds that one process runs at a time."""


def rerun(seed: int) -> str:
    """The command that tells this run again."""
    return f"python -m magnetar.chaos.simulation --seed {seed}"


@dataclass(slots=True)
class Campaign:
    """Adds up outcomes.

    `invalid` has the first violation by seed, `unknown` the seeds;
    `met`, `effective` and `broken` how many runs met, felt or broke each.
    """

    runs: int = 0
    applied: int = 0
    invalid: dict[int, str] = field(default_factory=dict)
    unknown: list[int] = field(default_factory=list)
    met: Counter[str] = field(default_factory=Counter)
    effective: Counter[str] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)

    def add(self, outcome: Outcome) -> None:
        """One more run."""
        self.runs += 1
        self.applied += outcome.applied
        if outcome.verdict is Verdict.INVALID:
            self.invalid[outcome.seed] = str(outcome.violations[0])
        elif outcome.verdict is Verdict.UNKNOWN:
            self.unknown.append(outcome.seed)
        self.met.update(situation for situation, count in outcome.history.met.items() if count)
        self.effective.update(outcome.history.effective.keys())
        self.broken.update({violation.promise for violation in outcome.violations})

    def join(self, other: Campaign) -> None:
        """The runs of another campaign."""
        self.runs += other.runs
        self.applied += other.applied
        self.invalid.update(other.invalid)
        self.unknown += other.unknown
        self.met += other.met
        self.effective += other.effective
        self.broken += other.broken

    def missed(self) -> list[str]:
        """Situations that no run met, and kinds of faults that never had an effect."""
        counted = set(STRIKES) - {"slow openings"}  # an opening that waits leaves no trace to count
        return sorted({*SITUATIONS} - self.met.keys()) + sorted(counted - self.effective.keys())

    def table(self) -> str:
        """How many runs met what."""
        rows = [f"{self.met[situation]:7}  {situation}" for situation in SITUATIONS]
        rows += [f"{self.effective[kind]:7}  fault: {kind}" for kind in sorted(STRIKES)]
        rows += [f"{count:7}  BROKEN: {promise}" for promise, count in self.broken.most_common()]
        verdicts = f"{len(self.invalid)} invalid, {len(self.unknown)} unknown"
        head = f"{self.runs} runs, {self.applied} messages applied; {verdicts}; runs that met:"
        bad = [f"INVALID {rerun(seed)}\n        {violation}" for seed, violation in sorted(self.invalid.items())]
        return "\n".join([head, *rows, *bad])


def explore(seeds: Sequence[int], jobs: int = 1) -> Campaign:
    """Run these seeds, in so many processes."""
    if jobs == 1:
        return _some(seeds)
    campaign = Campaign()
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        for part in pool.map(_some, [seeds[start : start + _SHARE] for start in range(0, len(seeds), _SHARE)]):
            campaign.join(part)
    return campaign


def _some(seeds: Sequence[int]) -> Campaign:
    logging.getLogger("magnetar").setLevel(logging.CRITICAL)  # what the engine says of faults is no news here
    campaign = Campaign()
    for seed in seeds:
        campaign.add(simulate(seed))
    return campaign


def shrunk(outcome: Outcome) -> Outcome:
    """The same violation with as few faults as can be: halves are left out, then quarters, down to single faults."""
    promise = outcome.violations[0].promise
    size = max(1, len(outcome.faults) // 2)
    while True:
        smaller = _without_some(outcome, promise, size)
        if smaller is not None:
            outcome = smaller
        elif size == 1:
            return outcome
        else:
            size //= 2
        size = max(1, min(size, len(outcome.faults)))


def _without_some(outcome: Outcome, promise: str, size: int) -> Outcome | None:
    for start in range(0, len(outcome.faults), size):
        found = _tried(outcome.seed, [*outcome.faults[:start], *outcome.faults[start + size :]])
        if any(violation.promise == promise for violation in found.violations):
            return found
    return None


def _tried(seed: int, faults: Sequence[Planned]) -> Outcome:
    return simulate(seed, faults)
