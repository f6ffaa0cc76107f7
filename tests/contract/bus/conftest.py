"""Each test of the contract runs once for every adapter."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from tests.contract.bus.harness import Bench
from tests.contract.bus.memory_harness import memory_harness

if TYPE_CHECKING:
    from tests.contract.bus.harness import BusHarness

__all__ = ["memory_harness"]

HARNESSES = ["memory_harness"]
"""The fixtures that yield a `BusHarness`."""


@pytest.fixture(params=HARNESSES)
def harness(request: pytest.FixtureRequest) -> BusHarness:
    """The adapter under test."""
    return cast("BusHarness", request.getfixturevalue(request.param))


@pytest.fixture
def bench(harness: BusHarness) -> Bench:
    """The adapter under test, with the verbs of the contract."""
    return Bench(harness)
