"""A question outlives the worker that has it in hand: `Client.ask` across a takeover."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from magnetar.runtime import Answer, BusUnavailable
from tests.acceptance.workers.shop import HELD, INSIDE, Order, Place

if TYPE_CHECKING:
    from tests.acceptance.cli.program import Program
    from tests.acceptance.workers.plant import Plant

QUESTION = Place(order_id="o-1", sku="s-1", quantity=3, held=True)
ANSWER = Answer("applied", Order(placed=1, ordered=3), 1)


def holder(plant: Plant, *workers: Program) -> Program:
    """The worker that has the question in hand."""
    inside = plant.folder / INSIDE
    plant.wait_for("order in hand", lambda _: inside.exists() and inside.read_text(encoding="utf-8") != "")
    pid = int(inside.read_text(encoding="utf-8"))
    [found] = [worker for worker in workers if worker.pid == pid]
    return found


def kill(plant: Plant, worker: Program) -> None:
    """It dies with the question in hand; nobody else will be held up by it."""
    os.kill(worker.pid, signal.SIGKILL)
    (plant.folder / HELD).unlink()


@pytest.mark.timeout(400)
def test_a_question_is_answered_by_the_worker_that_takes_over(plant: Plant) -> None:
    """Its caller notices nothing but a delay, and has the same answer whenever it asks again."""
    (plant.folder / HELD).touch()
    with plant.worker() as one, plant.worker() as other, plant.client() as client, ThreadPoolExecutor(1) as web:
        plant.wait_for_owners(one, other)
        asked = web.submit(client.ask, QUESTION, id="click-1")
        dead = holder(plant, one, other)
        assert not asked.done()
        kill(plant, dead)
        assert asked.result() == ANSWER
        survivor = other if dead is one else one
        plant.wait_for_owners(survivor)
        assert client.ask(QUESTION, id="click-1") == ANSWER
        assert client.ask(Place(order_id="o-1", sku="s-1", quantity=4), id="click-2").version > ANSWER.version
        assert client.ask(QUESTION, id="click-1") == ANSWER


@pytest.mark.timeout(400)
def test_a_question_given_up_is_asked_again_after_the_takeover(plant: Plant) -> None:
    """Its caller had no answer in time: by the same id it gets the one answer, from whoever has the order now."""
    (plant.folder / HELD).touch()
    with plant.worker() as one, plant.worker() as other:
        plant.wait_for_owners(one, other)
        with plant.client(timeout=3.0) as client, pytest.raises(BusUnavailable, match="ask again with the same id"):
            client.ask(QUESTION, id="click-1")
        kill(plant, holder(plant, one, other))
        with plant.client() as another:
            assert another.ask(QUESTION, id="click-1") == ANSWER
