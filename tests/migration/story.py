"""Lives of different code on one store, and what must be in it after each: a model of the bank."""

from __future__ import annotations

import signal
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import msgspec

from tests.migration.bank import HOUR, branch_of
from tests.migration.life import Answered, Errand, Made, Report
from tests.migration.releases import ROOT, Code

SENDING = "producer.send:before"
"""The fault point at which a decision is durable and nobody has heard of it."""

PATIENCE = 100.0


class Place(Protocol):
    """Where a store is: the address that workers are given, and statements of our own to it."""

    @property
    def url(self) -> str:
        """As `--store` takes it."""
        ...

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Run a statement; all rows that it returns."""
        ...


@dataclass
class Story:
    """What was done to a store so far."""

    place: Place
    numbers: Callable[[], int]
    made: list[Made] = field(default_factory=list)
    answers: dict[str, Answered] = field(default_factory=dict)
    reminded: Counter[str] = field(default_factory=Counter)
    armed: set[str] = field(default_factory=set)
    hour_passed: bool = False

    def deposit(self, *accounts: str) -> None:
        """Deposits that the next life is to hand in."""
        assert not self.hour_passed, "whether a deposit or the timer is first would be chance"
        for account in accounts:
            amount = self.numbers()
            self.made.append(Made(f"deposit-{amount}", account, amount))
            self.armed.add(account)

    def pass_an_hour(self) -> None:
        """All timers become due: their hour has passed while no worker was there."""
        self.place.rows(f"UPDATE timers SET due = due - {2 * HOUR * 1_000_000}")
        self.hour_passed = True

    def live(self, code: Code) -> Report:
        """One life in order; what it read must be what the model says, and what others were answered before."""
        done = self.run(code)
        assert done.returncode == 0, done.stderr
        report = msgspec.json.decode(done.stdout, type=Report)
        assert Path(report.home).is_relative_to(code.home), report.home
        self._hour_is_over()
        self._check(report)
        return report

    def die(self, code: Code) -> None:
        """One life that is killed when a deposit is durable and nobody has heard of it yet: one row is left unsent."""
        done = self.run(code, SENDING)
        assert done.returncode == -signal.SIGKILL, done.stderr
        assert self.place.rows("SELECT count(*) FROM outbox") == [(1,)]

    def run(self, code: Code, dies: str = "") -> subprocess.CompletedProcess[str]:
        """A process with this code, to its end."""
        errand = msgspec.json.encode(Errand(self.place.url, self.made, dies)).decode()
        command = [*code.python, "-m", "tests.migration.life", errand]
        return subprocess.run(
            command, cwd=ROOT, env=code.environment, capture_output=True, text=True, timeout=PATIENCE, check=False
        )

    def _hour_is_over(self) -> None:
        if self.hour_passed:
            self.reminded.update(self.armed)
            self.armed.clear()
            self.hour_passed = False

    def _check(self, report: Report) -> None:
        self._check_states(report)
        self._check_journal(report)
        assert (report.timers, report.unsent) == (sorted(self.armed), 0)
        assert len(report.counts) == len(set(report.counts)), "a decision was sent twice"
        assert all(report.answers[name] == answer for name, answer in self.answers.items()), "an answer has changed"
        self.answers = report.answers

    def _check_states(self, report: Report) -> None:
        deposited: Counter[str] = Counter()
        branches: Counter[str] = Counter()
        for made in self.made:
            deposited[made.account] += made.amount
            branches[branch_of(made.amount)] += made.amount
        assert report.accounts == {key: (sum_, sum_, self.reminded[key]) for key, sum_ in deposited.items()}
        assert report.branches == branches
        assert report.bookings == sorted((made.account, made.amount) for made in self.made)

    def _check_journal(self, report: Report) -> None:
        """Each deposit, each count of it and each reminder is applied once, in versions without a gap."""
        events = Counter(made.account for made in self.made for _ in ("deposited", "counted")) + self.reminded
        assert report.journal == {"accounts/applied": events.total(), "branches/applied": len(self.made)}
        assert report.versions == {key: list(range(1, number + 1)) for key, number in events.items()}
