"""Workers that are started while nobody answers: they wait, and work as soon as they can."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.acceptance.workers.plant import Plant


@pytest.mark.timeout(400)
def test_a_worker_waits_for_its_database_and_its_broker(plant: Plant) -> None:
    """First for one of them, then for the other; whoever started it need not start it again."""
    plant.server.pause()
    try:
        with plant.worker() as worker:
            worker.said("cannot begin yet, and tries again in 0.5 s: connecting: postgresql://")
            plant.broker.pause()
            try:
                plant.server.resume()
                worker.said(f"ask for the partitions of persistent://public/{plant.name}/")
            finally:
                plant.broker.resume()
            plant.wait_for_owners(worker)
    finally:
        plant.server.resume()
