"""What is there: whether all has come to rest, and what topics, store and the provider's log hold then."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from magnetar.actors.ordering.rules import ENDS
from magnetar.chaos.checkers import CHECKERS, WAITING
from magnetar.chaos.cluster.crew import until
from magnetar.chaos.paying import judging
from magnetar.chaos.paying.judging import Seen
from magnetar.chaos.simulation.shopping import Shopping
from magnetar.chaos.takeover.promises import EFFECTS_IN_ORDER
from magnetar.schemas import Kept, State
from magnetar.schemas.commerce import Order, Payment

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from magnetar.actors.providing.emulator.book import Entry
    from magnetar.chaos.evidence import Evidence
    from magnetar.chaos.history import History
    from magnetar.chaos.parking.ground import Ground
    from magnetar.runtime.store.port import StateRow
    from magnetar.runtime.store.views import Views
    from magnetar.runtime.wiring import Wiring

S = TypeVar("S", bound=State)

WANTED = (*CHECKERS, *WAITING, EFFECTS_IN_ORDER, *Shopping().checkers)
_DOUBTS = frozenset({"ChargeUnknown", "RefundUnknown"})


def rest(ground: Ground, orders: int, within: float) -> bool:
    """Wait until so many orders have ended, nobody waits for the provider, and nothing waits anywhere; False: it does.

    `within`: seconds. Blocks; raises what the store raises.
    """
    with closing(ground.store.views()) as views:
        return until(lambda: not any(map(any, views.loads().values())) and _have_ended(ground, views, orders), within)


def seen_in(evidence: Evidence, history: History, entries: Sequence[Entry], kills: tuple[int, int]) -> Seen:
    """What a run came to. `entries`: the provider's log; `kills`: of the provider and of workers."""
    wrong = [
        f"{checker.name}: {violation}"
        for checker in WANTED
        for violation in checker.examine(history, evidence)
        if violation is not None
    ]
    return replace(standing_of(evidence, history, entries, kills), wrong=wrong)


def standing_of(evidence: Evidence, history: History, entries: Sequence[Entry], kills: tuple[int, int]) -> Seen:
    """The same, and nobody has looked for what is wrong."""
    rows = evidence.states.values()
    return Seen(
        placed=frozenset(sending.key for sending in history.sendings.values() if sending.topic == "orders"),
        orders=_states(evidence.wiring, (row for row in rows if row.actor == "orders"), Order),
        payments=_states(evidence.wiring, (row for row in rows if row.actor == "payments"), Payment),
        entries=entries,
        doubts=sum(row.type.rpartition(".")[2] in _DOUBTS for row in evidence.journal.values()),
        callbacks=sum(sending.topic == "payments" for sending in history.sendings.values()),
        kills=kills,
        dead=len(evidence.unapplied.dead),
        wrong=(),
    )


def _have_ended(ground: Ground, views: Views, orders: int) -> bool:
    ended = _states(ground.wiring, views.states_of("orders"), Order)
    payments = _states(ground.wiring, views.states_of("payments"), Payment)
    return (
        len(ended) == orders
        and all(order.status in ENDS for order in ended.values())
        and judging.rests(payments.values())
        and not any(views.effects_of("payments", key) for key in payments)
    )


def _states(wiring: Wiring, rows: Iterable[StateRow], kind: type[S]) -> dict[str, S]:
    """Each state by its key."""
    found: dict[str, S] = {}
    for row in rows:
        codec = wiring.actors[row.actor].codec
        state = codec.decode(row.body, codec.schema, Kept(row.actor, row.key))
        assert isinstance(state, kind), f"{row.actor} has the state {type(state)}"
        found[row.key] = state
    return found
