"""Smallest stories of what failed: the ledgers of attempts and crashes, dead letters, and what waits behind.

`GOOD` is what a checker must pass, `BAD` what it must fail and the promise it must name then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.chaos.checkers.crashing import CRASHED, UNSEEN
from magnetar.chaos.history import Died, Found
from magnetar.chaos.simulation.clerks import ATTEMPTS, CRASHES, NEVER, STUBBORN, Desk, Note
from magnetar.runtime.identity import id_of
from magnetar.runtime.instant import SECOND
from magnetar.runtime.store.care import CrashRow
from tests.simulation.remains import NOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.runtime.bus.port import Delivery
    from tests.simulation.remains import Remains

    Story = Callable[[Remains], None]

DESK = Desk()
TIER, DEAD = "desks-magnetar-desks-RETRY-200ms", "desks-magnetar-desks-DLQ"


def note(run: Remains, number: int = 1, fails: int = 1) -> Delivery:
    """A note that fails so often is in the log."""
    return run.stores("desks", Note(desk="o-1", word="w", fails=fails), number)


# attempts


def applied_after_its_failure(run: Remains) -> None:
    """It fails once, as it says."""
    delivery = note(run)
    run.fails("desks", delivery, 1)
    run.applies("desks", delivery, DESK)


def applied_without_its_failure(run: Remains) -> None:
    """It fails once, and has not."""
    run.applies("desks", note(run), DESK)


def died_of_a_failure_that_passes(run: Remains) -> None:
    """It fails once only."""
    delivery = note(run)
    run.fails("desks", delivery, 1)
    run.buries("desks", delivery, 1, DESK)


def died_of_too_many(run: Remains) -> None:
    """Who says for good that it cannot be done is asked once."""
    delivery = note(run, fails=NEVER)
    for number in range(1, ATTEMPTS + 1):
        run.fails("desks", delivery, number)
    run.buries("desks", delivery, ATTEMPTS, DESK)


def applied_by_a_person(run: Remains) -> None:
    """It died of all its attempts, was replayed twice, and succeeded then, as it says."""
    delivery = note(run, fails=STUBBORN)
    for number in range(1, STUBBORN + 1):
        run.fails("desks", delivery, number)
    run.buries("desks", delivery, STUBBORN, DESK)
    run.unapplied.dead[0] = run.unapplied.dead[0]._replace(status="replayed", replays=2)
    run.journal[0] = run.journal[0]._replace(disposition="applied")


def applied_by_nobody(run: Remains) -> None:
    """The same, and nobody had replayed it."""
    applied_by_a_person(run)
    run.unapplied.dead.clear()


# dead letters


def buried(run: Remains, *, letters: int = 1) -> None:
    """In the index, in the journal, and on the topic."""
    delivery = note(run, fails=NEVER)
    run.fails("desks", delivery, 1)
    run.buries("desks", delivery, 1, DESK)
    for _ in range(letters):
        run.writes(DEAD, delivery, 1)


def buried_without_a_letter(run: Remains) -> None:
    """Nothing is on the topic."""
    buried(run, letters=0)


def buried_twice(run: Remains) -> None:
    """Its letter is there two times."""
    buried(run, letters=2)


def buried_without_a_row(run: Remains) -> None:
    """The index knows nothing of it."""
    buried(run)
    run.unapplied.dead.clear()


def buried_alive(run: Remains) -> None:
    """The journal says that it was applied."""
    buried(run)
    run.journal[0] = run.journal[0]._replace(disposition="applied")


def buried_with_a_gap_in_its_ledger(run: Remains) -> None:
    """Its failure is not the first."""
    buried(run)
    run.unapplied.failures[0] = run.unapplied.failures[0]._replace(number=2)


# tails


def overtaken_by_a_person(run: Remains) -> None:
    """What came behind it was applied, for it was dead; then it was replayed."""
    one, two = note(run), note(run, 2)
    run.applies("desks", two, DESK)
    run.buries("desks", one, 1, DESK)
    run.unapplied.dead[0] = run.unapplied.dead[0]._replace(status="replayed")
    run.journal[1] = run.journal[1]._replace(disposition="applied")


def waits_in_order(run: Remains) -> None:
    """One is applied, after its failure, in its time; two wait behind another that is dead."""
    applied_after_its_failure(run)
    run.writes(TIER, note(run), 1, NOW)
    run.parks("desks", note(run, 2), 1, DESK)
    run.parks("desks", note(run, 3), 2, DESK)
    run.holds("desks", 1, 2)


def failed_when_it_was_applied(run: Remains) -> None:
    """A second later."""
    delivery = note(run)
    run.fails("desks", delivery, 1, NOW + SECOND)
    run.applies("desks", delivery, DESK)


def parked_and_lost(run: Remains) -> None:
    """The journal says that it waits, and nobody knows where."""
    run.applies("desks", note(run), DESK, disposition="parked", version=0)


def tail_with_a_gap(run: Remains) -> None:
    """The second place is empty."""
    run.parks("desks", note(run), 1, DESK)
    run.parks("desks", note(run, 2), 3, DESK)
    run.holds("desks", 1, 3)


def tail_without_a_key(run: Remains) -> None:
    """It waits for nothing."""
    run.parks("desks", note(run), 1, DESK)


def tail_in_another_order(run: Remains) -> None:
    """The second is in front."""
    one, two = note(run), note(run, 2)
    run.parks("desks", two, 1, DESK)
    run.parks("desks", one, 2, DESK)
    run.holds("desks", 1, 2)


def tail_that_was_overtaken(run: Remains) -> None:
    """What came behind it is applied."""
    one, two = note(run), note(run, 2)
    run.applies("desks", two, DESK)
    run.parks("desks", one, 1, DESK)
    run.holds("desks", 1, 1)


def applied_too_early(run: Remains) -> None:
    """It was to be tried again a second later."""
    applied_after_its_failure(run)
    run.writes(TIER, run.logs[next(iter(run.logs))][0], 1, NOW + SECOND)


def failed_again_too_early(run: Remains) -> None:
    """The same, and it failed."""
    delivery = note(run, fails=2)
    run.fails("desks", delivery, 1)
    run.fails("desks", delivery, 2)
    run.writes(TIER, delivery, 1, NOW + SECOND)
    run.applies("desks", delivery, DESK)


# crashes


def kills(
    run: Remains, delivery: Delivery, *others: Delivery, seen: bool = True, alone: bool = True, charged: int = 1
) -> None:
    """Its worker ends, with it in hand if it is `seen`, and others too; so often it is charged."""
    ids = [id_of(each.properties["message_id"]) for each in (delivery, *others)]
    held = tuple(ids if seen else ids[1:])
    since = NOW + len(run.history.found)
    run.history.append(Died(NOW, "w1", "desks/0", ids[0], held, owned=True, alone=alone))
    for message_id in held:
        run.history.append(Found(NOW, "desks/0", message_id, "w1", since))
    for _ in range(charged):
        number = 1 + len(run.unapplied.crashes)
        crash = CrashRow("desks", ids[0], number, "desks/0", "o-1", "desks/0", "w1", "by hand", NOW)
        run.unapplied.crashes.append(crash)


def dies_of(run: Remains, delivery: Delivery, crashes: int) -> None:
    """Of so many crashes, as its index row says."""
    run.buries("desks", delivery, 0, DESK)
    run.unapplied.dead[0] = run.unapplied.dead[0]._replace(error=CRASHED, crashes=crashes)


def died_of_its_crashes(run: Remains) -> None:
    """First nobody could know, then it was in hand each time."""
    delivery = note(run, fails=0)
    for _ in range(UNSEEN):
        kills(run, delivery, seen=False, alone=False, charged=0)
    for _ in range(CRASHES):
        kills(run, delivery)
    dies_of(run, delivery, CRASHES)


def killed_with_another_one_in_hand(run: Remains) -> None:
    """Two are named."""
    delivery, other = note(run, fails=0), note(run, 2)
    kills(run, delivery)
    kills(run, delivery)
    kills(run, delivery, other)
    dies_of(run, delivery, CRASHES)
    run.unapplied.crashes.append(run.unapplied.crashes[0]._replace(message_id=id_of(other.properties["message_id"])))


def killed_unseen_where_care_was_taken(run: Remains) -> None:
    """All of its shard went alone."""
    died_of_its_crashes(run)
    kills(run, note(run, fails=0), seen=False, charged=0)
    del run.history.deaths[:UNSEEN]


def killed_unseen_too_often(run: Remains) -> None:
    """After so many times somebody could know."""
    died_of_its_crashes(run)
    kills(run, note(run, fails=0), seen=False, alone=False, charged=0)


def charged_for_nothing(run: Remains) -> None:
    """Nobody ever had it in hand."""
    kills(run, note(run), seen=False, alone=False)
    run.history.deaths.clear()


def charged_too_little(run: Remains) -> None:
    """It was in hand three times, and two were counted."""
    died_of_its_crashes(run)
    run.unapplied.crashes.pop()
    run.unapplied.dead[0] = run.unapplied.dead[0]._replace(error="E")


def lives_on(run: Remains) -> None:
    """It ends its worker each time, and was applied."""
    delivery = note(run, fails=0)
    kills(run, delivery)
    run.applies("desks", delivery, DESK)


def died_of_too_few(run: Remains) -> None:
    """One crash is not as many as it may have."""
    delivery = note(run, fails=0)
    kills(run, delivery)
    dies_of(run, delivery, 1)


GOOD: dict[str, Story] = {
    "failing crashes": died_of_its_crashes,
    "failing attempts": applied_after_its_failure,
    "failing dead letters": buried,
    "failing tails": waits_in_order,
}

_ATTEMPTS = "only poison dies, and of exactly its failures"
_DEAD = "a dead letter is on its topic, in the index and in the journal, once"
_WAITS = "what is parked waits in order, and behind what came before"
_ALONE = "what ends its worker is in hand then, alone"
_COUNTED = "each crash is counted once, and charged to what was in hand"
_EXACTLY = "what ends its worker dies of exactly its crashes"
_TIME = "what has failed is not tried again before it is due"

BAD: dict[Story, tuple[str, str]] = {
    applied_without_its_failure: ("failing attempts", _ATTEMPTS),
    died_of_a_failure_that_passes: ("failing attempts", _ATTEMPTS),
    applied_by_nobody: ("failing attempts", _ATTEMPTS),
    died_of_too_many: ("failing attempts", _ATTEMPTS),
    buried_without_a_letter: ("failing dead letters", _DEAD),
    buried_twice: ("failing dead letters", _DEAD),
    buried_without_a_row: ("failing dead letters", _DEAD),
    buried_alive: ("failing dead letters", _DEAD),
    buried_with_a_gap_in_its_ledger: ("failing dead letters", _DEAD),
    failed_when_it_was_applied: ("failing tails", _WAITS),
    parked_and_lost: ("failing tails", _WAITS),
    tail_with_a_gap: ("failing tails", _WAITS),
    tail_without_a_key: ("failing tails", _WAITS),
    tail_in_another_order: ("failing tails", _WAITS),
    tail_that_was_overtaken: ("failing tails", _WAITS),
    killed_with_another_one_in_hand: ("failing crashes", _ALONE),
    killed_unseen_where_care_was_taken: ("failing crashes", _ALONE),
    killed_unseen_too_often: ("failing crashes", _ALONE),
    charged_for_nothing: ("failing crashes", _COUNTED),
    charged_too_little: ("failing crashes", _COUNTED),
    lives_on: ("failing crashes", _EXACTLY),
    died_of_too_few: ("failing crashes", _EXACTLY),
    applied_too_early: ("failing tails", _TIME),
    failed_again_too_early: ("failing tails", _TIME),
}
