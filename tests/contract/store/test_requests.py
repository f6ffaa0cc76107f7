"""The contract of requests: inserted by tools, answered by a shard's owner under its fence, once (R27)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from magnetar.runtime.store.parking import LetterStatus, Reason
from magnetar.runtime.store.port import StoreUnavailable, VersionConflict
from magnetar.runtime.store.requests import Answer, Edit, LetterMove, Pause, Request, RequestStatus, Rewritten, What
from magnetar.runtime.store.views import LetterGroup, Which
from tests.contract.store.harness import ACTOR, OTHER, SHARD, Owner, epoch_of
from tests.contract.store.parking import bury
from tests.contract.store.rows import dead_letter, message_id, parked_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.runtime.store.port import ShardChanges, Store
    from magnetar.runtime.store.replays import Requests
    from magnetar.runtime.store.requests import Answering
    from magnetar.runtime.store.views import Views
    from tests.contract.store.harness import StoreHarness

PAUSE = Pause(SHARD, "shop.Place", "ann", "the bank is away", 1_700_000_000_000_010)


@pytest.fixture
def tool(harness: StoreHarness, store: Store) -> Requests:
    """Somebody who asks."""
    assert store.pauses(SHARD) == []
    return harness.requests()


def request(number: int, key: str = "o-1", shard: str = SHARD) -> Request:
    """A request; every column differs from its neighbours."""
    about = '{"type": "shop.Place"}'
    return Request(message_id(number), shard, What.PAUSE, key, about, "ann", "why", 0, "asked", "", None, None)


def answer(number: int, shard: str = SHARD) -> Answer:
    """What became of it."""
    return Answer(message_id(number), shard, RequestStatus.DONE.value, "it is paused", 1_700_000_000_000_011, 7)


def answering(owner: Owner, *numbers: int, shard: str = SHARD) -> ShardChanges:
    """Changes that answer these requests."""
    changes = owner.changes(shard)
    changes.to_answer().answers += [answer(number, shard) for number in numbers]
    return changes


def test_a_request_is_asked_and_answered(owner: Owner, store: Store, views: Views, tool: Requests) -> None:
    """It is dated by the store's clock, found by its shard's owner, and its answer stays."""
    before = store.now()
    tool.ask([request(1, "ö-1")])
    [asked] = store.asked([SHARD], 10)
    assert before <= asked.asked_at <= store.now()
    assert asked == request(1, "ö-1")._replace(asked_at=asked.asked_at)
    assert views.requests([message_id(1), message_id(9)]) == views.requests_of(SHARD, "ö-1") == [asked]
    assert owner.commit(answering(owner, 1)) == frozenset()
    assert store.asked([SHARD], 10) == []
    done = asked._replace(status="done", answer="it is paused", answered_at=1_700_000_000_000_011, epoch=7)
    assert views.requests([message_id(1)]) == views.requests_of(SHARD, "ö-1") == [done]


def test_asking_again_asks_nothing_twice(owner: Owner, store: Store, views: Views, tool: Requests) -> None:
    """Also once it is answered: the tool that did not hear the answer may repeat what it has sent."""
    tool.ask([request(1), request(2)])
    known = store.asked([SHARD], 10)
    owner.commit(answering(owner, 1))
    tool.ask([request(2)._replace(who="bob"), request(1), request(3)])
    assert [row.id for row in store.asked([SHARD], 10)] == [message_id(2), message_id(3)]
    assert store.asked([SHARD], 10)[0] == known[1]
    assert views.requests([message_id(1)])[0].status == "done"
    tool.ask([])


def test_each_shard_has_its_first_requests_in_order(store: Store, tool: Requests) -> None:
    """However many another one has; of shards that are not asked about, none."""
    tool.ask([request(number) for number in (3, 1, 2)] + [request(number, shard=OTHER) for number in (9, 8)])
    tool.ask([request(7, shard="orders/2")])
    assert [row.id for row in store.asked([SHARD, OTHER, "orders/3"], 2)] == [message_id(n) for n in (1, 2, 8, 9)]
    assert [row.id for row in store.asked([SHARD], 2)] == [message_id(1), message_id(2)]
    assert store.asked([], 2) == store.asked(["orders/3"], 2) == []


def test_what_is_asked_of_a_key_is_told_last_first(views: Views, tool: Requests) -> None:
    """Of this key only, and so many."""
    tool.ask([request(1), request(2), request(3, "o-2"), request(4, shard=OTHER)])
    assert [row.id for row in views.requests_of(SHARD, "o-1")] == [message_id(2), message_id(1)]
    assert [row.id for row in views.requests_of(SHARD, "o-1", limit=1)] == [message_id(2)]


def test_pauses_come_and_go(owner: Owner, store: Store, views: Views) -> None:
    """By shard and type, all of a shard being ''."""
    everything = PAUSE._replace(type="", shard=OTHER)
    changes, other = owner.changes(), owner.changes(OTHER)
    changes.to_answer().paused.append(PAUSE)
    other.to_answer().paused.append(everything)
    owner.commit(changes, other)
    assert (store.pauses(SHARD), store.pauses(OTHER)) == ([PAUSE], [everything])
    assert views.pauses() == [PAUSE, everything]
    changes = owner.changes()
    changes.to_answer().resumed.append((SHARD, PAUSE.type))
    changes.to_answer().paused.append(PAUSE._replace(who="bob"))
    owner.commit(changes)
    assert store.pauses(SHARD) == [PAUSE._replace(who="bob")]


def test_a_letter_is_one_no_more(owner: Owner, store: Store, views: Views) -> None:
    """It moves, and may die again in the commit that has moved it."""
    bury(owner, dead_letter(1), dead_letter(2))
    changes = owner.changes()
    moves = [LetterMove(ACTOR, message_id(number), LetterStatus.REPLAYED.value, 3) for number in (1, 2)]
    changes.to_answer().letters += moves
    again = dead_letter(2)._replace(replays=3, failures=13, error_text="again")
    changes.to_park().dead.append(again)
    owner.commit(changes)
    moved = dead_letter(1)._replace(status="replayed", replays=3)
    assert (store.letter(ACTOR, message_id(1)), store.letter(ACTOR, message_id(2))) == (moved, again)
    assert (views.letter(ACTOR, message_id(1)), views.letter("stock", message_id(1))) == (moved, None)
    assert store.letter(ACTOR, message_id(9)) is None


def test_a_letter_is_edited(owner: Owner, store: Store, views: Views) -> None:
    """It says something else from now on; what it had said is kept, each time."""
    bury(owner, dead_letter(1))
    for number, body in ((8, b"new"), (9, b"newer")):
        before = store.letter(ACTOR, message_id(1))
        assert before is not None
        changes = owner.changes()
        edit = Edit(message_id(number), ACTOR, message_id(1), SHARD, before.body, before.schema, "ann", "why", number)
        changes.to_answer().edits.append(edit)
        changes.to_answer().rewritten.append(Rewritten(ACTOR, message_id(1), body, "b" * 32))
        owner.commit(changes)
    assert store.letter(ACTOR, message_id(1)) == dead_letter(1)._replace(body=b"newer", schema="b" * 32)
    assert [(edit.body, edit.edited_at) for edit in views.edits_of(ACTOR, message_id(1))] == [
        (dead_letter(1).body, 8), (b"new", 9),
    ]  # fmt: skip
    assert views.edits_of(ACTOR, message_id(2)) == []


def edited(answering: Answering) -> None:
    """A letter that is none any more."""
    answering.rewritten.append(Rewritten(ACTOR, message_id(5), b"", ""))


def unknown(answering: Answering) -> None:
    """An answer to what nobody has asked."""
    answering.answers.append(answer(99))


def answered(answering: Answering) -> None:
    """A second answer."""
    answering.answers.append(answer(1))


def moved(answering: Answering) -> None:
    """A letter that was replayed already."""
    answering.letters.append(LetterMove(ACTOR, message_id(5), "discarded", 0))


def paused(answering: Answering) -> None:
    """What is paused already."""
    answering.paused.append(PAUSE)


def resumed(answering: Answering) -> None:
    """What is not paused."""
    answering.resumed.append((SHARD, "shop.Pay"))


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (unknown, "requests: .*63 is unknown"),
        (answered, "requests: .*01 is done"),
        (moved, "dead_letters: .*05 of orders is replayed, and was to be discarded"),
        (edited, "dead_letters: .*05 of orders is replayed, and was to be edited"),
        (paused, "pauses: shop.Place of orders/0"),
        (resumed, "pauses: shop.Pay of orders/0"),
    ],
)
def test_a_conflict_takes_the_whole_group_back(
    owner: Owner, store: Store, views: Views, tool: Requests, spoil: Callable[[Answering], None], says: str
) -> None:
    """No request is answered twice, and nothing of a group that would do so is written."""
    bury(owner, dead_letter(5)._replace(status="replayed"))
    tool.ask([request(1), request(2)])
    first = answering(owner, 1)
    first.to_answer().paused.append(PAUSE)
    owner.commit(first)
    changes = answering(owner, 2)
    spoil(changes.to_answer())
    with pytest.raises(VersionConflict, match=says):
        owner.commit(changes)
    assert [row.id for row in store.asked([SHARD], 10)] == [message_id(2)]
    assert views.pauses() == [PAUSE]
    assert owner.commit(answering(owner, 2)) == frozenset()


def test_a_zombie_answers_nothing(harness: StoreHarness, owner: Owner, tool: Requests) -> None:
    """Its successor finds the request, and executes it."""
    tool.ask([request(1)])
    late = answering(owner, 1)
    late.to_answer().paused.append(PAUSE)
    successor = Owner(harness.open(), SHARD, name="successor")
    assert owner.commit(late) == {SHARD}
    assert [row.id for row in successor.store.asked([SHARD], 10)] == [message_id(1)]
    assert successor.store.pauses(SHARD) == []
    assert successor.commit(answering(successor, 1)) == frozenset()


def test_an_answer_that_did_not_become_durable_was_never_given(
    harness: StoreHarness, owner: Owner, tool: Requests
) -> None:
    """A worker dies in the commit: what it has asked waits for the next one."""
    tool.ask([request(1)])
    harness.die_before_commit(owner.store, [answering(owner, 1)])
    store = harness.open()
    assert [row.id for row in store.asked([SHARD], 10)] == [message_id(1)]
    assert epoch_of(store) == owner.owned[SHARD].epoch


def test_letters_are_found_by_what_is_known_of_them(owner: Owner, views: Views) -> None:
    """Each way by itself, and all together; the last that died comes first."""
    first = dead_letter(1, dead_at=10)._replace(error="OSError", fingerprint="abc1")
    second = dead_letter(2, "o-2", dead_at=20)._replace(type="shop.Pay", fingerprint="abc2")
    third = dead_letter(3, "100%", dead_at=30)._replace(status="discarded")
    bury(owner, first, second, third)
    wanted: list[tuple[Which, list[int]]] = [
        (Which(), [2, 1]),
        (Which(status=""), [3, 2, 1]),
        (Which(status="discarded"), [3]),
        (Which(actor=ACTOR), [2, 1]),
        (Which(actor="stock"), []),
        (Which(key="o-2"), [2]),
        (Which(key="o-%"), []),
        (Which(type="Pay"), [2]),
        (Which(type="shop.Pay"), [2]),
        (Which(type="ay"), []),
        (Which(error="OSError"), [1]),
        (Which(error="Refused"), [2]),
        (Which(error="%Error"), []),
        (Which(fingerprint="abc"), [2, 1]),
        (Which(fingerprint="abc1"), [1]),
        (Which(message=message_id(2).hex()[-8:].upper()), [2]),
        (Which(since=11), [2]),
        (Which(since=20, until=20), [2]),
        (Which(until=19), [1]),
        (Which(actor=ACTOR, key="o-1", type="Place", error="OSError", fingerprint="a", since=10, until=10), [1]),
    ]
    for which, numbers in wanted:
        assert [row.message_id for row in views.letters(which)] == [message_id(number) for number in numbers], which
    assert views.letters(Which(status=""), 2) == [third, second]


def test_letters_are_counted_by_cause(owner: Owner, views: Views) -> None:
    """The largest group first, with one of its texts; those of another actor are another group."""
    for number, text in ((1, "order 1"), (2, "order 2"), (3, "order 2")):
        key = f"o-{min(number, 2)}"
        bury(owner, dead_letter(number, key, dead_at=number)._replace(fingerprint="f1", error_text=text))
    bury(owner, dead_letter(4, dead_at=4)._replace(fingerprint="f2"), dead_letter(5)._replace(status="replayed"))
    large = LetterGroup(ACTOR, "f1", "shop.Place", "shop.Refused", "order 1", 3, 2, 1, 3)
    small = LetterGroup(ACTOR, "f2", "shop.Place", "shop.Refused", "the card is stolen", 1, 1, 4, 4)
    assert views.letter_groups(Which()) == [large, small]
    assert views.letter_groups(Which(), 1) == [large]
    assert views.letter_groups(Which(since=4)) == [small]


def test_parked_keys_are_listed(owner: Owner, views: Views) -> None:
    """By actor and by reason; those parked for longest first."""
    held = parked_key("o-1", due=None)._replace(reason=Reason.HELD.value, since=30, held_by="letter")
    retried, other = parked_key("o-2")._replace(since=20), parked_key("o-3", shard=OTHER)._replace(since=25)
    changes, others = owner.changes(), owner.changes(OTHER)
    changes.to_park().parked_keys += [held, retried]
    others.to_park().parked_keys.append(other)
    owner.commit(changes, others)
    assert views.keys_parked() == [retried, other, held]
    assert views.keys_parked(ACTOR, Reason.HELD.value) == [held]
    assert views.keys_parked("stock") == []
    assert views.keys_parked(limit=1) == [retried]


def test_a_tool_makes_no_store(harness: StoreHarness, tool: Requests) -> None:
    """It writes where a worker has been; closed twice, it is closed."""
    tool.close()
    tool.close()
    with pytest.raises(StoreUnavailable):
        tool.ask([request(1)])
    assert harness.views().requests([message_id(1)]) == []
