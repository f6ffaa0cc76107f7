"""Real clusters for chaos need namespaces of their own."""

from __future__ import annotations

import pytest

from magnetar.chaos.cluster import enclosure


@pytest.fixture(scope="session")
def enclosures() -> None:
    """Skip, with the reason, where the machine allows none."""
    if why := enclosure.why_not():
        pytest.skip(f"no namespaces can be made here: {why}")
