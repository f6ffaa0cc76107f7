"""One playing of a story with troubles that are given: what each of them does, and what is told of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.chaos.trials.obstacles import Crash
from magnetar.chaos.trials.trial import Played, Trial
from magnetar.chaos.trials.trouble import HAPPENED, LOST, Trouble
from tests.unit.chaos.kiosk import ORDERS, Order, Pay, books_agree, kiosk, pay_once_or_raise, rename_always, story

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.runtime import Context, World

PAY, RENAME = 4, 2


def played(*troubles: Trouble) -> Played:
    """The story with these."""
    return Trial(kiosk(), story, books_agree).play(troubles)


def came(*troubles: Trouble, **instead: Callable[..., Order]) -> list[tuple[str, bytes]]:
    """What came for the order, in the order in which it was handled."""
    found: list[tuple[str, bytes]] = []

    def look(world: World) -> None:
        found.extend((row.type.rpartition(".")[2], row.message_id) for row in world.journal(ORDERS, "o-1"))

    assert Trial(kiosk(**instead), story, look).play(troubles).failure is None
    return found


def kinds(*troubles: Trouble, **instead: Callable[..., Order]) -> list[str]:
    """The same, without the ids."""
    return [kind for kind, _ in came(*troubles, **instead)]


def test_without_trouble_it_is_the_story() -> None:
    """Nothing is told."""
    assert kinds() == ["Place", "Rename", "Rename", "Pay"]
    assert played().told == []


def test_what_is_late_is_overtaken_and_told_once() -> None:
    """When it comes, that it was on its way is told no more."""
    late = Trouble("late", 1, steps=2)
    assert kinds(late) == ["Rename", "Place", "Rename", "Pay"]
    assert [happening.what for happening in played(late._replace(steps=3), Trouble("twice", RENAME)).told] == [
        "Rename(order_id='o-1', name='Ada', revision=1) is delivered again under its own id",
        "Place(order_id='o-1'), sent at 0:00:00, arrives only now, after Rename",
    ]


def test_a_message_wins_a_race_or_loses_it() -> None:
    """Just before the timer it cancels it, just after it comes too late; the story's end waits for both."""
    before, after = (Trouble("race", PAY, before=before) for before in (True, False))
    assert kinds(before) == ["Place", "Rename", "Rename", "Pay"]
    assert kinds(after) == ["Place", "Rename", "Rename", "Overdue", "Pay"]
    assert kinds(Trouble("race", RENAME, before=True)) == ["Place", "Rename", "Pay", "Rename"]


def test_a_race_ends_when_the_timer_has_fired() -> None:
    """Also when the message came first, and did not cancel it."""

    def pay_nothing(order: Order, message: Pay, context: Context) -> Order:
        return order

    found = kinds(Trouble("race", RENAME, before=True), pay=pay_nothing)
    assert found == ["Place", "Rename", "Pay", "Rename", "Overdue"]


def test_an_unknown_commit_is_read_back() -> None:
    """Whether it happened or not."""
    for point in (LOST, HAPPENED):
        found = played(Trouble("unknown", 1, point))
        assert found.extent.reached["phase:unknown"] == 1
        assert len(found.told) == 1
        assert found.failure is None


def test_a_crash_is_survived_and_what_comes_again_is_counted_once() -> None:
    """The next process finds what was not acknowledged."""
    plain, crashed = played(), played(Trouble("crash", 1, LOST))
    assert crashed.failure is None
    assert crashed.extent.reached["phase:taken"] == plain.extent.reached["phase:taken"] + 1
    assert crashed.extent.handed == plain.extent.handed
    assert not issubclass(Crash, Exception)


def test_the_ids_of_a_story_are_the_same_every_time() -> None:
    """Else an actor that looks at them would make another run of the same seed."""
    assert came() == came()


def test_shrinking_keeps_to_the_failure_that_was_found() -> None:
    """Another one on the way is not taken in its place."""
    trial = Trial(kiosk(pay=pay_once_or_raise, rename=rename_always), story, books_agree)
    troubles = [Trouble("again", PAY), Trouble("late", RENAME, steps=1)]
    found = trial.play(troubles)
    assert found.failure is not None
    shrunk = trial.shrunk(troubles, found)
    assert shrunk.failure is not None
    assert shrunk.failure.kind == found.failure.kind
    assert [happening.what for happening in shrunk.told] == [
        "Pay(order_id='o-1', amount=10) is sent again under a new id: a second click"
    ]
