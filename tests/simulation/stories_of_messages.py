"""Smallest stories of messages: whether they are lost, come from nowhere, arrive once, and in which order.

`GOOD` is what a checker must pass, `BAD` what it must fail and the promise it must name then.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from magnetar.chaos.evidence import Place
from magnetar.chaos.history import LaneRow
from magnetar.chaos.simulation.warehouse import Ask, Order, OutOfStock, Overdue, Reserve
from magnetar.runtime.identity import id_of
from magnetar.runtime.routing import partition_of
from tests.simulation.remains import NOW, Remains, name

if TYPE_CHECKING:
    from collections.abc import Callable

    Story = Callable[[Remains], None]

ASK = Ask(order_id="o-1")
RESERVE = Reserve(sku="o-1", order_id="o-1", quantity=1)
SENT = {"type": "Reserve", "id": name(2), "to": "stock", "key": "o-1"}
LANE = LaneRow(1, "stock", 0, name(2))


# nothing acked is lost, nothing from nowhere


def asked(run: Remains) -> None:
    """A question was sent, stored and applied."""
    run.applies("orders", run.sends(ASK, 1), Order())


def sent_and_not_stored(run: Remains) -> None:
    """Its sender was told that it is stored."""
    run.sends(ASK, 1)
    run.logs[Place("orders", 0)].clear()


def foreign_and_not_stored(run: Remains) -> None:
    """It has no id, so it is missed by its place."""
    run.sends(ASK, 1, foreign=True)
    run.logs[Place("orders", 0)].clear()


def stored_and_not_applied(run: Remains) -> None:
    """Its actor's journal says nothing of it."""
    run.stores("orders", ASK, 1)


def stored_and_parked(run: Remains) -> None:
    """What is parked is not done with."""
    run.applies("orders", run.stores("orders", ASK, 1), Order(), disposition="parked")


def applied_by_one_of_two(run: Remains) -> None:
    """An event is for every actor that takes it."""
    run.applies("orders", run.stores("stock-events", OutOfStock(order_id="o-1", sku="s-1"), 1), Order())


def applied_and_not_stored(run: Remains) -> None:
    """The journal knows a message that is in no log."""
    run.applies("orders", run.stores("orders", ASK, 1), Order())
    run.logs[Place("orders", 0)].clear()


def applied_with_other_bytes(run: Remains) -> None:
    """The journal keeps what never came."""
    run.applies("orders", run.stores("orders", ASK, 1), Order(), body=b"")


def applied_under_another_id(run: Remains) -> None:
    """The journal's row is of another message than the one in that place."""
    run.applies("orders", run.stores("orders", ASK, 1), Order(), message_id=id_of(name(9)))


# effects once, outbox


def sent_an_effect(run: Remains) -> None:
    """A message sent another one, by a lane, and it arrived."""
    run.applies("orders", run.sends(ASK, 1), Order(), sent=json.dumps([SENT]))
    run.commits("orders/0", 0, LANE)
    run.owns("orders/0", commits=1, lane=1)
    run.stores("stock", RESERVE, 2, sender="orders/0")


def effect_did_not_arrive(run: Remains) -> None:
    """Nor at all."""
    sent_an_effect(run)
    run.logs[Place("stock", 0)].clear()


def effect_arrived_twice(run: Remains) -> None:
    """Under one id."""
    sent_an_effect(run)
    run.stores("stock", RESERVE, 2, sender="orders/0")


def effect_arrived_elsewhere(run: Remains) -> None:
    """In the partition of another key."""
    sent_an_effect(run)
    log = run.logs[Place("stock", 0)]
    home = partition_of("o-1", 2)
    run.logs |= {Place("stock", home): [], Place("stock", 1 - home): log}


def two_effects_with_one_id(run: Remains) -> None:
    """Of two messages, so that one of them is lost on its receiver."""
    sent_an_effect(run)
    run.applies("orders", run.stores("orders", ASK, 3), Order(), sent=json.dumps([SENT]))


def lane_with_a_gap(run: Remains) -> None:
    """Its first row has the number two."""
    sent_an_effect(run)
    run.history.commits.clear()
    run.commits("orders/0", 0, LANE._replace(number=2))


def lane_counted_further(run: Remains) -> None:
    """The shard's row has given out more numbers than there were rows."""
    sent_an_effect(run)
    run.owns("orders/0", commits=1, lane=2)


def lane_not_arrived(run: Remains) -> None:
    """Its destination holds nothing of it."""
    sent_an_effect(run)
    run.logs[Place("stock", 0)].clear()


def lane_in_another_order(run: Remains) -> None:
    """Decided as one and two, arrived as two and one."""
    both = [SENT, {**SENT, "id": name(3)}]
    run.applies("orders", run.sends(ASK, 1), Order(), sent=json.dumps(both))
    run.commits("orders/0", 0, LANE, LANE._replace(number=2, message_id=name(3)))
    run.owns("orders/0", commits=1, lane=2)
    for number in (3, 2):
        run.stores("stock", RESERVE, number, sender="orders/0")


def sent_by_nobody(run: Remains) -> None:
    """A log holds what neither a sender nor the journal knows."""
    run.stores("orders", ASK, 1)


def foreign_from_nobody(run: Remains) -> None:
    """A message without an id, where nobody sent such a one."""
    run.stores("orders", ASK, 1, foreign=True)


# per-key order, timers


def applied_in_order(run: Remains) -> None:
    """As they lie in their partition."""
    one, two = run.stores("orders", ASK, 1), run.stores("orders", ASK, 2)
    run.applies("orders", one, Order())
    run.applies("orders", two, Order())


def applied_in_another_order(run: Remains) -> None:
    """The second one first."""
    one, two = run.stores("orders", ASK, 1), run.stores("orders", ASK, 2)
    run.applies("orders", two, Order())
    run.applies("orders", one, Order())


def fired_before_what_came_later(run: Remains) -> None:
    """What was published when a timer was due is applied after it."""
    run.fires("orders", Overdue(), 1, Order())
    run.applies("orders", run.stores("orders", ASK, 2), Order())


def fired_before_what_was_in_time(run: Remains) -> None:
    """What was published before a timer was due is applied after it, though the timer had not waited long."""
    run.fires("orders", Overdue(), 1, Order())
    run.applies("orders", run.stores("orders", ASK, 2), Order(), published_at=NOW - 1)


GOOD: dict[str, Story] = {
    "nothing acked is lost": asked,
    "nothing from nowhere": asked,
    "effects once": sent_an_effect,
    "per-key order": applied_in_order,
    "outbox": sent_an_effect,
    "timers": fired_before_what_came_later,
}

_LANE = "a lane arrives in its order"
_LOST = "an acknowledged message is never lost"
_APPLIED = "every message is applied"
_ONCE = "an effect happens once"
_NOWHERE = "no message from nowhere"

BAD: dict[Story, tuple[str, str]] = {
    sent_and_not_stored: ("nothing acked is lost", _LOST),
    foreign_and_not_stored: ("nothing acked is lost", _LOST),
    stored_and_not_applied: ("nothing acked is lost", _APPLIED),
    stored_and_parked: ("nothing acked is lost", _APPLIED),
    applied_by_one_of_two: ("nothing acked is lost", _APPLIED),
    applied_and_not_stored: ("nothing from nowhere", _NOWHERE),
    applied_with_other_bytes: ("nothing from nowhere", _NOWHERE),
    applied_under_another_id: ("nothing from nowhere", _NOWHERE),
    effect_did_not_arrive: ("effects once", _ONCE),
    effect_arrived_twice: ("effects once", _ONCE),
    effect_arrived_elsewhere: ("effects once", _ONCE),
    two_effects_with_one_id: ("effects once", _ONCE),
    applied_in_another_order: ("per-key order", "messages of one key are applied in order"),
    lane_with_a_gap: ("outbox", "a lane's numbers have no gap"),
    lane_counted_further: ("outbox", "a lane's numbers have no gap"),
    lane_not_arrived: ("outbox", _LANE),
    lane_in_another_order: ("outbox", _LANE),
    sent_by_nobody: ("outbox", "no effect of what was not committed"),
    foreign_from_nobody: ("outbox", "no effect of what was not committed"),
    fired_before_what_was_in_time: ("timers", "who was in time is not overtaken by a timer"),
}
