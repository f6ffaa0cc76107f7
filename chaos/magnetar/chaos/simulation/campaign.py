"""Many seeds: verdicts, which faults took effect, which situations were met."""

from __future__ import annotations

import hashlib
import signal
import time
from collections import Counter, deque
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing import get_context
from typing import TYPE_CHECKING

import msgspec

from magnetar.chaos.simulation.ground import Ground, lasting
from magnetar.chaos.simulation.run import Outcome, simulate
from magnetar.chaos.simulation.schedule import Schedule
from magnetar.chaos.simulation.situations import SITUATIONS
from magnetar.chaos.simulation.strikes import STRIKES
from magnetar.chaos.verdict import APPLIED, EFFECTIVE, Verdict
from magnetar.runtime.compose.process import tune_collector

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

_SHARE = 25
"""Seeds that one process runs at a time."""

AGAIN, WATCHED = 100, 1000
"""One seed of so many is run a second time, and must give the same trace; one of so many with every call looked at."""


def rerun(seed: int) -> str:
    """The command that tells this run again."""
    return f"python -m magnetar.chaos.simulation --seed {seed}"


@dataclass(slots=True)
class Campaign:
    """Adds up outcomes.

    `invalid` has the first violation by seed, `unknown` the first doubt; `met`, `effective` and `broken` how many
    runs met, felt or broke each; `unstable` the seeds that were not the same run twice. `rich`: how many runs applied
    enough messages under enough faults. `broken_off`: by Ctrl-C, there were to be more.
    """

    runs: int = 0
    broken_off: bool = False
    applied: int = 0
    struck: int = 0
    again: int = 0
    rich: int = 0
    invalid: dict[int, str] = field(default_factory=dict)
    unknown: dict[int, str] = field(default_factory=dict)
    unstable: list[int] = field(default_factory=list)
    met: Counter[str] = field(default_factory=Counter)
    effective: Counter[str] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)

    @property
    def clean(self) -> bool:
        """Whether nothing was broken and every run was the same run twice."""
        return not self.invalid and not self.unstable

    def add(self, outcome: Outcome) -> None:
        """One more run."""
        self.runs += 1
        struck = sum(outcome.history.effective.values())
        self.applied += outcome.applied
        self.struck += struck
        self.rich += outcome.applied >= APPLIED and struck >= EFFECTIVE
        judgement = outcome.judgement
        if judgement.verdict is Verdict.INVALID:
            self.invalid[outcome.schedule.seed] = str(judgement.violations[0])
        elif judgement.verdict is Verdict.UNKNOWN:
            self.unknown[outcome.schedule.seed] = judgement.doubts[0]
        self.met.update(outcome.history.met.keys())
        self.effective.update(outcome.history.effective.keys())
        self.broken.update(judgement.catchers)

    def join(self, other: Campaign) -> None:
        """The runs of another campaign."""
        self.runs += other.runs
        self.applied += other.applied
        self.struck += other.struck
        self.again += other.again
        self.rich += other.rich
        self.invalid.update(other.invalid)
        self.unknown.update(other.unknown)
        self.unstable += other.unstable
        self.met += other.met
        self.effective += other.effective
        self.broken += other.broken

    def missed(self) -> list[str]:
        """Situations that no run met, and kinds of faults that never had an effect."""
        return sorted({*SITUATIONS} - self.met.keys()) + sorted(STRIKES.keys() - self.effective.keys())

    def table(self) -> str:
        """How many runs met what."""
        rows = [f"{self.met[situation]:7}  {situation}" for situation in SITUATIONS]
        rows += [f"{self.effective[kind]:7}  fault: {kind}" for kind in sorted(STRIKES)]
        rows += [f"{count:7}  CAUGHT BY: {checker}" for checker, count in self.broken.most_common()]
        verdicts = f"{len(self.invalid)} invalid, {len(self.unknown)} unknown"
        twice = f"{self.again} run twice, {len(self.unstable)} not the same"
        head = f"{self.runs} runs, {self.applied} messages applied, {self.struck} faults in effect; {verdicts}; {twice}"
        bad = [f"INVALID {rerun(seed)}\n        {violation}" for seed, violation in sorted(self.invalid.items())]
        bad += [f"NOT THE SAME TWICE {rerun(seed)}" for seed in sorted(self.unstable)]
        return "\n".join([head, "runs that met:", *rows, *bad])


def explore(seeds: Iterable[int], jobs: int = 1, seconds: float | None = None) -> Campaign:
    """Run these seeds, in so many processes, for so many seconds at most; Ctrl-C ends it early, with what was run."""
    campaign, ends = Campaign(), None if seconds is None else time.monotonic() + seconds
    shares = _shares(iter(seeds))
    try:
        with closing(_spread(shares, jobs) if jobs > 1 else _in_turn(shares)) as parts:
            for part in parts:
                campaign.join(part)
                if ends is not None and time.monotonic() >= ends:
                    break
    except KeyboardInterrupt:
        campaign.broken_off = True
    return campaign


def _spread(shares: Iterator[list[int]], jobs: int) -> Generator[Campaign]:
    """Each process has one share in hand and one before it, so that none waits for another."""
    pool = ProcessPoolExecutor(jobs, get_context("spawn"), initializer=_begin)
    try:
        waiting = deque(pool.submit(_some, share) for share in islice(shares, 2 * jobs))
        while waiting:
            yield waiting.popleft().result()
            waiting.extend(pool.submit(_some, share) for share in islice(shares, 1))
    finally:
        pool.shutdown(cancel_futures=True)


def _begin() -> None:
    """A terminal sends Ctrl-C to all of its processes; the one that adds up decides what it means."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tune_collector()


def _shares(seeds: Iterator[int]) -> Iterator[list[int]]:
    while share := list(islice(seeds, _SHARE)):
        yield share


def _in_turn(shares: Iterator[list[int]]) -> Generator[Campaign]:
    """All in this process, which has other things to do afterwards."""
    with closing(Ground()) as ground:
        for share in shares:
            yield _stood_on(ground, share)


def _some(seeds: list[int]) -> Campaign:
    return _stood_on(lasting(), seeds)


def _stood_on(ground: Ground, seeds: list[int]) -> Campaign:
    campaign = Campaign()
    for seed in seeds:
        outcome = simulate(Schedule.of(seed), ground=ground)
        campaign.add(outcome)
        if seed % AGAIN == 0:
            campaign.again += 1
            campaign.unstable += [] if is_repeated(outcome, watching=seed % WATCHED == 0) else [seed]
    return campaign


def is_repeated(outcome: Outcome, *, watching: bool) -> bool:
    """Whether the same schedule is the same run again; `watching`: with every call looked at (see `seal`)."""
    return trace(simulate(outcome.schedule, watching=watching)) == trace(outcome)


def trace(outcome: Outcome) -> str:
    """A hash over everything that was seen and left."""
    evidence = outcome.evidence
    left = [list(evidence.journal.values()), list(evidence.states.values()), list(evidence.logs.values())]
    digest = hashlib.sha256(b"\n".join(outcome.history.lines()))
    digest.update(msgspec.msgpack.encode(left))
    return digest.hexdigest()
