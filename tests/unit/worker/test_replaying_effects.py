"""A dead letter that asks for an effect, replayed while the dependency's queue is full: it waits, and has not failed.

One key whose retry a person asks for is refused with the reason.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from magnetar.runtime.identity import id_of, mint, to_text
from magnetar.runtime.routing import partition_of
from magnetar.runtime.store.requests import Request, What
from tests.unit.worker.outside import Counter
from tests.unit.worker.shopfront import Charged, Pay, psp

if TYPE_CHECKING:
    from magnetar.runtime.store.parking import DeadLetter

SHARD = "payments/0"
OWN = [key for key in map("k-{}".format, range(400)) if partition_of(key, 2) == 0]
TRIES = 12
"""So often `Pay` may fail before it is dead by its actor's policy."""


@pytest.fixture
def counter() -> Counter:
    """A worker whose calls a test answers; the first key's message has died."""
    counter = Counter()
    kill(counter, OWN[0])
    return counter


def kill(counter: Counter, key: str) -> None:
    """Its message dies after all its attempts."""
    counter.send(Pay(order=key, fails=TRIES), f"pay-{key}")
    counter.advance(600)
    assert letter(counter, key).status == "dead"


def fill(counter: Counter) -> None:
    """No more effects have room in the shard."""
    for key in OWN[-psp.queue :]:
        counter.send(Pay(order=key), f"pay-{key}")
    counter.step(24)


def make_room(counter: Counter) -> None:
    """Whatever is called is answered."""
    for number in range(len(counter.outside.jobs)):
        counter.outside.answer(Charged(reference="r"), number)
    counter.advance(0.5)


def letter(counter: Counter, key: str) -> DeadLetter:
    """The key's."""
    found = counter.views.letter("payments", id_of(f"pay-{key}"))
    assert found is not None
    return found


def ask(counter: Counter, what: What, key: str, number: int = 1, **arguments: str) -> bytes:
    """A person asks, and nothing has happened yet."""
    request = mint(counter.now, lambda size: number.to_bytes(size, "big"))
    about = json.dumps(arguments)
    counter.database.requests().ask(
        [Request(request, SHARD, what, key, about, "ann", "because", 0, "asked", "", None, None)]
    )
    return request


def replay(counter: Counter, key: str, number: int = 1) -> bytes:
    """As `dlq replay` asks."""
    return ask(counter, What.REPLAY, key, number, letter=to_text(id_of(f"pay-{key}")), most="3")


def answer(counter: Counter, request: bytes) -> tuple[str, str]:
    """What became of it, and what was said."""
    [found] = counter.views.requests([request])
    return found.status, found.answer


def test_it_waits_for_room_and_is_applied_then(counter: Counter) -> None:
    """No failure, no replay is counted, and its key stays as it was; answered when it is applied."""
    fill(counter)
    before = letter(counter, OWN[0])
    request = replay(counter, OWN[0])
    counter.advance(5)
    assert answer(counter, request)[0] == "asked"
    assert letter(counter, OWN[0]) == before
    key = counter.views.parked_key("payments", OWN[0])
    assert key is not None
    assert key.reason == "held"
    make_room(counter)
    counter.advance(3)
    assert answer(counter, request)[0] == "done"
    assert (letter(counter, OWN[0]).status, letter(counter, OWN[0]).replays) == ("replayed", 1)
    assert counter.payment(OWN[0]).keys


def test_it_is_tried_once_a_second_and_costs_no_more(counter: Counter) -> None:
    """A full queue may stay so for hours."""
    fill(counter)
    replay(counter, OWN[0])
    counter.advance(1)
    before = len(counter.observer.of("committed"))
    counter.advance(10)
    assert len(counter.observer.of("committed")) - before <= 12


def test_a_person_who_asks_for_one_key_is_told_at_once(counter: Counter) -> None:
    """Nobody should stare at a prompt: it is refused, and says why."""
    fill(counter)
    request = ask(counter, What.RETRY, OWN[0])
    counter.advance(1)
    status, said = answer(counter, request)
    assert status == "refused"
    assert "nothing is tried now: 5 effects of shard payments/0 wait for psp" in said
    assert letter(counter, OWN[0]).replays == 0


def test_those_that_wait_keep_nobody_from_being_heard(counter: Counter) -> None:
    """More of them than are read at a time, and a pause behind them: it is done within a second."""
    many = OWN[1:61]
    for key in many:
        counter.send(Pay(order=key, fails=TRIES), f"pay-{key}")
    counter.advance(600)
    fill(counter)
    requests = [replay(counter, key, number) for number, key in enumerate(many, 1)]
    counter.advance(3)
    assert {answer(counter, each)[0] for each in requests} == {"asked"}
    pause = ask(counter, What.PAUSE, OWN[100], 999)
    counter.advance(1)
    assert answer(counter, pause)[0] == "done"


def test_the_next_owner_finds_it_asked_still(counter: Counter) -> None:
    """What waits is a row: a crash forgets nothing."""
    fill(counter)
    request = replay(counter, OWN[0])
    counter.advance(2)
    counter.crash_later()
    counter.advance(psp.timeout + 1)
    for _ in range(60):
        if answer(counter, request)[0] == "asked":
            make_room(counter)
    assert answer(counter, request)[0] == "done"
