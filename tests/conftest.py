"""What every test stands on: nothing is skipped in CI, randomness is reproducible, Hypothesis has two profiles."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

import hypothesis
import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

pytest_plugins = ["tests.dividing", "tests.fixtures_postgres", "tests.fixtures_pulsar"]
"""Real servers, one each for all tests of a process; and how the suite is divided among processes."""

IN_CI = os.environ.get("CI", "").lower() in {"1", "true"}

hypothesis.settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
hypothesis.settings.register_profile("dev", deadline=None, print_blob=True)
hypothesis.settings.load_profile("ci" if IN_CI else "dev")


def _fail_if_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skip into a failure: in CI what a test needs is there, or the run is red."""
    if not report.skipped or hasattr(report, "wasxfail"):
        return
    path, line, reason = report.longrepr if isinstance(report.longrepr, tuple) else ("?", 0, report.longrepr)
    report.outcome = "failed"
    report.longrepr = f"Nothing may be skipped in CI. {reason} ({path}:{line})"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Locally a test that lacks its server calls `pytest.skip(reason)`; in CI that very call fails it."""
    report = yield
    if IN_CI:
        _fail_if_skipped(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a whole file."""
    report = yield
    if IN_CI:
        _fail_if_skipped(report)
    return report


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """The run's seed, printed so that a failure shows how to repeat it."""
    value = int(request.config.option.randomly_seed)
    print(f"seed {value}: repeat with pytest --randomly-seed={value} '{request.node.nodeid}'")  # noqa: T201
    return value


@pytest.fixture
def chance(seed: int, request: pytest.FixtureRequest) -> random.Random:
    """A source of randomness of the test's own: the same for the same seed, whatever ran before it."""
    return random.Random(f"{seed} {request.node.nodeid}")
