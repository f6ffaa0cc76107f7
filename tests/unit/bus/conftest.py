"""What the tests of the in-process bus share."""

from __future__ import annotations

import pytest

from tests.unit.bus.broker import Bench


@pytest.fixture
def bench() -> Bench:
    """A small broker with two processes."""
    return Bench()
