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
    "integration/servers/test_cluster.py",
    "acceptance/test_guides.py",
    "integration/pulsar/test_faults.py",
    "simulation/test_matrix.py",
    "acceptance/killing/test_killing.py",
    "simulation/test_zoo.py",
    "integration/servers/test_pulsar.py",
    "simulation/test_campaign.py",
    "acceptance/killing/test_harming.py",
    "acceptance/cli/test_on_pulsar.py",
    "acceptance/workers/test_restoring.py",
    "acceptance/workers/test_guide.py",
    "acceptance/workers/test_asking.py",
    "integration/postgres/test_faults.py",
    "integration/pulsar/test_reaching.py",
    "integration/pulsar/test_access.py",
)
"""Files that take some 15 s or more on a machine of their own, the longest first."""


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
