"""In which order the suite's files are dealt out when several processes share it (`make test`).

Each file stays in one process, with the servers and the module's fixtures that its tests share; whoever is free takes
the next file. What takes long goes first, so that in the end nobody waits for one process; the rest is drawn anew in
each run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

LONG = (
    "simulation/test_campaign.py",
    "integration/servers/test_cluster.py",
    "integration/cluster/test_faults.py",
    "integration/pulsar/test_faults.py",
    "migration/test_two_at_once.py",
    "acceptance/cli/test_on_pulsar.py",
    "integration/servers/test_pulsar.py",
    "simulation/test_matrix.py",
    "integration/pulsar/test_reaching.py",
    "acceptance/workers/test_asking.py",
    "acceptance/killing/test_killing.py",
    "acceptance/test_guides.py",
    "simulation/test_zoo.py",
    "integration/postgres/test_faults.py",
    "integration/pulsar/test_access.py",
    "acceptance/workers/test_restoring.py",
    "acceptance/workers/test_guide.py",
    "acceptance/killing/test_harming.py",
    "migration/test_releases.py",
)
"""Files that take 20 s or more beside another process, the longest first."""


def turn_of(path: Path, suite: Path) -> int:
    """When a file of the suite is dealt out: its place among the long ones, or after all of them."""
    name = path.relative_to(suite).as_posix() if path.is_relative_to(suite) else ""
    return LONG.index(name) if name in LONG else len(LONG)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """After they were shuffled, and the same in every process; one that runs all tests keeps the order drawn."""
    if hasattr(config, "workerinput"):
        suite = config.rootpath / "tests"
        items.sort(key=lambda item: turn_of(item.path, suite))
