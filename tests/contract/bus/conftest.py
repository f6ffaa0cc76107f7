"""Each test of the contract runs once for every adapter."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from tests.contract.bus.harness import Bench
from tests.contract.bus.memory_harness import memory_harness
from tests.contract.bus.pulsar_harness import pulsar_harness

if TYPE_CHECKING:
    from tests.contract.bus.harness import BusHarness

__all__ = ["memory_harness", "pulsar_harness"]

HARNESSES = ["memory_harness", "pulsar_harness"]
"""The fixtures that yield a `BusHarness`."""


def pytest_itemcollected(item: pytest.Item) -> None:
    """A harness is asked for by name; say which server it needs, so that it is fetched before the first test."""
    if isinstance(item, pytest.Function) and "pulsar_harness" in item.name:
        item.fixturenames.append("pulsar_home")


@pytest.fixture(params=HARNESSES)
def harness(request: pytest.FixtureRequest) -> BusHarness:
    """The adapter under test."""
    return cast("BusHarness", request.getfixturevalue(request.param))


@pytest.fixture
def bench(harness: BusHarness) -> Bench:
    """The adapter under test, with the verbs of the contract."""
    return Bench(harness)
