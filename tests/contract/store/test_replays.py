"""The contract of replays: chosen once, in order, and found again by whoever goes on with them (R27)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from magnetar.runtime.store.replays import Replay, Replayed, ReplayStatus
from magnetar.runtime.store.requests import Answer, Request, RequestStatus, What
from magnetar.runtime.store.views import Which
from tests.contract.store.harness import ACTOR, SHARD, Owner
from tests.contract.store.parking import bury
from tests.contract.store.rows import dead_letter, message_id

if TYPE_CHECKING:
    from magnetar.runtime.store.port import Store
    from magnetar.runtime.store.replays import ReplayLetter, Requests
    from magnetar.runtime.store.views import Views
    from tests.contract.store.harness import StoreHarness

REPLAY = Replay(message_id(77), "all of orders", "ann", "mended", 1, 12.5, 0.1, 3, 0, 0, "running", "", None)


@pytest.fixture
def tool(harness: StoreHarness, store: Store) -> Requests:
    """Somebody who replays."""
    assert store.asked([SHARD], 1) == []
    return harness.requests()


def buried(owner: Owner) -> None:
    """Letters of two keys; the last two of one instant, in the order of their positions, not of their ids."""
    bury(
        owner,
        dead_letter(5, "o-2", dead_at=10),
        dead_letter(4, "o-1", dead_at=20),
        dead_letter(3, "o-1", dead_at=30)._replace(position="7:9:-1"),
        dead_letter(2, "o-1", dead_at=30)._replace(position="7:10:-1"),
        dead_letter(1, "o-1", dead_at=30)._replace(position="", source="timer"),
        dead_letter(6, "o-9", dead_at=5)._replace(status="discarded"),
    )


def numbers(letters: list[ReplayLetter]) -> list[int]:
    """Which messages they are."""
    return [int.from_bytes(letter.message_id, "big") for letter in letters]


def test_letters_are_chosen_in_the_order_in_which_they_died(owner: Owner, views: Views, tool: Requests) -> None:
    """Of one instant by their place on the broker; each has a request of its own from then on."""
    buried(owner)
    assert tool.freeze(REPLAY, Which(), []) == 5
    letters = views.replay_letters(REPLAY.id)
    assert numbers(letters) == [5, 4, 3, 2, 1]
    assert [letter.number for letter in letters] == [1, 2, 3, 4, 5]
    assert (letters[0].actor, letters[0].shard, letters[0].key) == (ACTOR, SHARD, "o-2")
    assert len({letter.request for letter in letters}) == 5
    [replay] = views.replays()
    assert replay == REPLAY._replace(begun_at=replay.begun_at, letters=5)
    assert replay.begun_at > 0


def test_what_is_chosen_is_chosen_once(owner: Owner, views: Views, tool: Requests) -> None:
    """What dies later, and whoever chooses again, changes nothing."""
    buried(owner)
    tool.freeze(REPLAY, Which(key="o-1"), [])
    letters = views.replay_letters(REPLAY.id)
    bury(owner, dead_letter(8, "o-1", dead_at=40))
    assert tool.freeze(REPLAY, Which(), []) == 4
    assert views.replay_letters(REPLAY.id) == letters
    assert views.replay_letters(message_id(78)) == []


def test_single_letters_are_chosen(owner: Owner, views: Views, tool: Requests) -> None:
    """Those that are named, as far as they are still dead."""
    buried(owner)
    assert tool.freeze(REPLAY, Which(), [message_id(2), message_id(6), message_id(99)]) == 1
    assert numbers(views.replay_letters(REPLAY.id)) == [2]


def test_whoever_goes_on_finds_what_was_asked_and_what_became_of_it(owner: Owner, views: Views, tool: Requests) -> None:
    """By the letter's number; those that were not asked are not there."""
    buried(owner)
    tool.freeze(REPLAY, Which(), [])
    ids = [letter.request for letter in views.replay_letters(REPLAY.id)]
    tool.ask(
        [Request(each, SHARD, What.REPLAY, "", "{}", "ann", "why", 0, "asked", "", None, None) for each in ids[:3]]
    )
    changes = owner.changes()
    changes.to_answer().answers += [
        Answer(ids[0], SHARD, RequestStatus.DONE.value, "", 1, 1), Answer(ids[2], SHARD, "failed", "", 1, 1)
    ]  # fmt: skip
    owner.commit(changes)
    assert views.replayed(REPLAY.id) == [Replayed(1, "done"), Replayed(2, "asked"), Replayed(3, "failed")]


def test_a_replay_says_how_it_ended(owner: Owner, views: Views, tool: Requests) -> None:
    """And that it goes on."""
    buried(owner)
    tool.freeze(REPLAY, Which(), [])
    tool.end(REPLAY.id, ReplayStatus.STOPPED, "too many")
    [stopped] = views.replays()
    assert (stopped.status, stopped.said) == ("stopped", "too many")
    assert stopped.ended_at is not None
    tool.end(REPLAY.id, ReplayStatus.RUNNING, "")
    assert views.replays()[0].status == "running"
