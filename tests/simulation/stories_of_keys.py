"""Smallest stories of keys and shards: versions, acknowledgements, rest, replay, and bytes that can be read.

`GOOD` is what a checker must pass, `BAD` what it must fail and the promise it must name then.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from magnetar.chaos.evidence import Cursor, Place
from magnetar.chaos.history import Acknowledged, Restless, Struck
from magnetar.chaos.simulation.warehouse import Ask, Order, Overdue, Remind
from magnetar.chaos.simulation.warehouse import Place as Placing
from magnetar.runtime.bus.port import Position
from magnetar.runtime.identity import derive, id_of, to_text
from magnetar.runtime.instant import SECOND, to_iso
from magnetar.runtime.store.port import OutboxRow
from magnetar.schemas import Schema
from tests.simulation.remains import END, NOW, Remains, name

if TYPE_CHECKING:
    from collections.abc import Callable

    Story = Callable[[Remains], None]

ASK = Ask(order_id="o-1")
FIRST, LATER = Position(1, 0), Position(1, 1)
SENT = {"type": "Reserve", "id": name(2), "to": "stock", "key": "o-1"}


# no fork


def one_chain(run: Remains) -> None:
    """One message, one version, one commit."""
    run.applies("orders", run.stores("orders", ASK, 1), Order())
    run.keeps("orders", Order())
    run.commits("orders/0", 0)
    run.owns("orders/0", commits=1)


def one_chain_after_a_jump(run: Remains) -> None:
    """The store's clock was put back meanwhile, so that a row may be later than it."""
    run.history.append(Struck(NOW, "clock jump", 1))
    run.applies("orders", run.stores("orders", ASK, 1), Order(), now=END + 1)
    run.keeps("orders", Order())
    run.commits("orders/0", 0)
    run.owns("orders/0", commits=1)


def committed_by_a_zombie(run: Remains) -> None:
    """Somebody had taken the shard before."""
    run.commits("orders/0", 0, epoch=1, current=2)
    run.owns("orders/0", commits=1)


def committed_twice(run: Remains) -> None:
    """Two commits with one count."""
    run.commits("orders/0", 0)
    run.commits("orders/0", 0)
    run.owns("orders/0", commits=2)


def committed_and_not_counted(run: Remains) -> None:
    """The shard's row knows nothing of it."""
    run.commits("orders/0", 0)
    run.owns("orders/0")


def version_left_out(run: Remains) -> None:
    """The first row of a key has the version two."""
    run.applies("orders", run.stores("orders", ASK, 1), Order(), version=2)
    run.keeps("orders", Order())


def journal_without_a_state(run: Remains) -> None:
    """A message was applied to nothing."""
    run.applies("orders", run.stores("orders", ASK, 1), Order())


def state_without_a_journal(run: Remains) -> None:
    """Nobody knows where it comes from."""
    run.keeps("orders", Order())


def applied_in_another_shard(run: Remains) -> None:
    """Where the key does not belong."""
    run.applies("orders", run.stores("orders", ASK, 1), Order(), shard="orders/1")
    run.keeps("orders", Order())


def handled_backwards_in_time(run: Remains) -> None:
    """The second version is of an earlier instant than the first."""
    run.applies("orders", run.stores("orders", ASK, 1), Order())
    run.applies("orders", run.stores("orders", ASK, 2), Order(), now=NOW - 1)
    run.keeps("orders", Order(), version=2)


def handled_in_the_future(run: Remains) -> None:
    """The store's clock does not show that yet."""
    run.applies("orders", run.stores("orders", ASK, 1), Order(), now=END + 1)
    run.keeps("orders", Order())


# acknowledgement, liveness


def acknowledged(run: Remains) -> None:
    """Up to where it is committed."""
    run.cursors.append(Cursor("orders", Place("orders", 0), FIRST, 0))
    run.owns("orders/0", orders=FIRST)


def acknowledged_too_far(run: Remains) -> None:
    """Beyond what is committed."""
    run.cursors.append(Cursor("orders", Place("orders", 0), LATER, 0))
    run.owns("orders/0", orders=FIRST)


def acknowledged_without_a_commit(run: Remains) -> None:
    """Nothing is committed."""
    run.cursors.append(Cursor("orders", Place("orders", 0), FIRST, 0))
    run.owns("orders/0")


def acknowledged_too_early(run: Remains) -> None:
    """Somebody looked between the acknowledgement and its commit."""
    run.history.append(Acknowledged(NOW, "orders/0", "orders/0", LATER, FIRST))


def left_a_message(run: Remains) -> None:
    """Unacknowledged."""
    run.cursors.append(Cursor("orders", Place("orders", 0), None, 1))


def left_a_row(run: Remains) -> None:
    """In the outbox."""
    run.unsent.append(OutboxRow("orders/0", 1, "stock", 0, "o-1", b"", "{}"))


def left_a_timer(run: Remains) -> None:
    """It is due."""
    run.arms("orders", Overdue(), 1, END)


def found_no_rest(run: Remains) -> None:
    """Somebody has lost patience."""
    run.history.append(Restless(END, "it goes on and on"))


# replay


def asked_once(run: Remains) -> None:
    """A question was applied and changed nothing."""
    run.applies("orders", run.stores("orders", ASK, 1), Order())


def asked_by_another_release(run: Remains) -> None:
    """Its bytes are of a schema that only the store knows any more: its kind was the first one there."""
    asked, elder = run.stores("orders", ASK, 1), json.loads(run.wiring.topics["orders"].codec.schema.text)
    kinds = elder["fields"][0]["type"]
    kinds.insert(0, kinds.pop(asked.body[0] // 2))
    schema = Schema.parse(json.dumps(elder))
    run.schemas[schema.fingerprint] = schema.text
    run.applies("orders", asked, Order(), schema=schema.fingerprint, body=b"\0" + asked.body[1:])


def replayed_to_another_state(run: Remains) -> None:
    """The journal says that a question has paid something."""
    run.applies("orders", run.stores("orders", ASK, 1), Order(paid=1))


def stored_another_state(run: Remains) -> None:
    """The store says it."""
    asked_once(run)
    run.keeps("orders", Order(paid=1))


def applied_what_cannot_be_read(run: Remains) -> None:
    """Its bytes are none of its type."""
    run.applies("orders", run.stores("orders", ASK, 1), Order(), body=b"")


def decided_what_replay_does_not(run: Remains) -> None:
    """A question sends nothing."""
    run.applies("orders", run.stores("orders", ASK, 1), Order(), sent=json.dumps([SENT]))


def armed_what_nobody_armed(run: Remains) -> None:
    """The store holds a timer of which the journal knows nothing."""
    asked_once(run)
    run.arms("orders", Overdue(), 9, END)


def fired_what_nobody_armed(run: Remains) -> None:
    """The journal holds its row all the same."""
    run.fires("orders", Remind(turn=2), 1, Order(reminders=1))


def fired_too_early(run: Remains) -> None:
    """A second before it was due."""
    cause = id_of(name(1))
    placed = Order(status="placed", sku="s-1", quantity=1, asked=1)
    sent = [
        {"type": "Reserve", "id": to_text(derive(cause, 1)), "to": "stock", "key": "s-1"},
        {"timer": "Overdue", "due": to_iso(NOW + 3 * SECOND)},
        {"timer": "Remind", "due": to_iso(NOW + SECOND)},
    ]
    placing = Placing(order_id="o-1", sku="s-1", quantity=1, patience=3.0)
    run.applies("orders", run.stores("orders", placing, 1), placed, sent=json.dumps(sent))
    cancelled = Order(status="cancelled", sku="s-1", quantity=1, asked=1)
    said = json.dumps([{"cancelled": "Remind"}])
    early = {"now": NOW + 2 * SECOND, "message_id": derive(cause, 2), "sent": said}
    run.fires("orders", Overdue(), 1, cancelled, **early)


def row_that_nobody_recorded(run: Remains) -> None:
    """A question books nothing."""
    asked_once(run)
    run.rows["bookings"].append((id_of(name(1)), 0, "o-1", "kept", 5))


def answered_something_else(run: Remains) -> None:
    """The answer is the state after its question."""
    run.applies("orders", run.stores("orders", ASK, 1), Order(), answer=b"")


# schema


def kept(run: Remains) -> None:
    """A state whose schema is kept."""
    run.keeps("orders", Order())


def kept_without_its_schema(run: Remains) -> None:
    """Nobody can read it any more."""
    run.keeps("orders", Order())
    run.schemas.clear()


def kept_in_part(run: Remains) -> None:
    """Its last byte is missing."""
    row = run.keeps("orders", Order())
    run.states[0] = row._replace(body=row.body[:-1])


def kept_with_a_tail(run: Remains) -> None:
    """A byte too many."""
    row = run.keeps("orders", Order())
    run.states[0] = row._replace(body=row.body + b"\0")


def journalled_in_part(run: Remains) -> None:
    """The journal's bytes are looked at too."""
    run.applies("orders", run.stores("orders", ASK, 1), Order(), body=b"")


def armed_in_part(run: Remains) -> None:
    """And those of timers, under their states."""
    row = run.arms("orders", Remind(), 1, END)
    run.timers[0] = row._replace(body=b"")


GOOD: dict[str, Story] = {
    "no fork": one_chain,
    "acknowledgement": acknowledged,
    "schema": kept,
    "liveness": acknowledged,
    "replay": asked_once,
}

_CHAIN = "one key is one chain of versions"
_REPLAY = "replay decides the same"
_REST = "what is healed comes to rest"
_READ = "what is stored can be read"
_ACK = "an acknowledgement follows its commit"

BAD: dict[Story, tuple[str, str]] = {
    committed_by_a_zombie: ("no fork", "a zombie commits nothing"),
    committed_twice: ("no fork", "each commit is counted once"),
    committed_and_not_counted: ("no fork", "each commit is counted once"),
    version_left_out: ("no fork", _CHAIN),
    journal_without_a_state: ("no fork", _CHAIN),
    state_without_a_journal: ("no fork", _CHAIN),
    applied_in_another_shard: ("no fork", "a key lives in its own shard"),
    handled_backwards_in_time: ("no fork", "time does not run backwards"),
    handled_in_the_future: ("no fork", "the store's clock decides"),
    acknowledged_too_far: ("acknowledgement", _ACK),
    acknowledged_without_a_commit: ("acknowledgement", _ACK),
    acknowledged_too_early: ("acknowledgement", _ACK),
    replayed_to_another_state: ("replay", "replay arrives at the same state"),
    stored_another_state: ("replay", "replay arrives at the same state"),
    applied_what_cannot_be_read: ("replay", "what was applied can be replayed"),
    decided_what_replay_does_not: ("replay", _REPLAY),
    armed_what_nobody_armed: ("replay", "timers are those that were armed"),
    fired_what_nobody_armed: ("replay", "a timer fires once, while it is armed"),
    fired_too_early: ("replay", "a timer does not fire before it is due"),
    row_that_nobody_recorded: ("replay", "own rows are written once"),
    answered_something_else: ("replay", "an answer is the state after its question"),
    kept_without_its_schema: ("schema", _READ),
    kept_in_part: ("schema", _READ),
    kept_with_a_tail: ("schema", _READ),
    journalled_in_part: ("schema", _READ),
    armed_in_part: ("schema", _READ),
    left_a_message: ("liveness", _REST),
    left_a_row: ("liveness", _REST),
    left_a_timer: ("liveness", _REST),
    found_no_rest: ("liveness", _REST),
}
