"""What a run saw and left, made by hand, a row at a time: no engine, no faults, nothing that is not asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from magnetar.chaos.evidence import Cursor, Evidence, Place, Unapplied
from magnetar.chaos.history import Answered, Committed, History, Intended, LaneRow, Requested
from magnetar.runtime.bus.port import Delivery, Position
from magnetar.runtime.identity import derive, id_of
from magnetar.runtime.instant import SECOND, Instant, to_iso
from magnetar.runtime.store.parking import DeadLetter, FailureRow, ParkedKey, ParkedRow
from magnetar.runtime.store.port import JournalRow, OutboxRow, ShardRow, StateRow, TimerRow
from magnetar.runtime.store.requests import Request
from magnetar.runtime.worker.entries import state_hash
from magnetar.schemas import contract_name

if TYPE_CHECKING:
    from magnetar.runtime.wiring import Wiring
    from magnetar.schemas import Message, Outcome, State, Timer

NOW: Instant = 1_767_225_600 * SECOND
END: Instant = NOW + 60 * SECOND


def name(number: int) -> str:
    """The id of the message of this number, as text."""
    return f"00000000-0000-7000-8000-{number:012}"


class Remains:
    """An empty run of an app, to be filled. What an event or row needs and a story does not tell is made up."""

    def __init__(self, wiring: Wiring) -> None:
        self.wiring = wiring
        self.history = History(lambda: NOW)
        self.logs: dict[Place, list[Delivery]] = {
            Place(topic.name, number): [] for topic in wiring.provisioned() for number in range(topic.partitions or 1)
        }
        self.cursors: list[Cursor] = []
        self.shards: dict[str, ShardRow] = {}
        self.journal: list[JournalRow] = []
        self.states: list[StateRow] = []
        self.timers: list[TimerRow] = []
        self.unsent: list[OutboxRow] = []
        self.unapplied = Unapplied()
        self.requests: dict[bytes, Request] = {}
        self.rows: dict[str, list[tuple[object, ...]]] = {table.name: [] for table in wiring.tables()}
        self.schemas = {fingerprint: schema.text for fingerprint, schema in wiring.schemas().items()}

    def evidence(self) -> Evidence:
        """All of it."""
        timers: dict[tuple[str, str], list[TimerRow]] = {}
        for row in self.timers:
            timers.setdefault((row.actor, row.key), []).append(row)
        return Evidence(
            wiring=self.wiring,
            at=END,
            logs=self.logs,
            cursors=self.cursors,
            shards=self.shards,
            journal={(row.actor, row.message_id): row for row in self.journal},
            states={(row.actor, row.key): row for row in self.states},
            timers=timers,
            unsent=self.unsent,
            rows=self.rows,
            schemas=self.schemas,
            unapplied=self.unapplied,
            requests=self.requests,
        )

    def asks(self, number: int, status: str = "done") -> bytes:
        """Somebody has asked something of the first shard of the orders, and this became of it."""
        request_id = id_of(name(number))
        self.history.append(Requested(NOW, request_id, "orders/0", 1))
        self.requests[request_id] = Request(
            request_id, "orders/0", "pause", "o-1", "{}", "ann", "because", NOW, status, "", NOW, 1
        )
        return request_id

    # outside

    def sends(self, message: Message, number: int, *, foreign: bool = False) -> Delivery:
        """A sender publishes it, it is stored, and the sender is told so."""
        topic = self.wiring.commands[type(message)]
        delivery = self.stores(topic.name, message, number, foreign=foreign)
        text = None if foreign else name(number)
        self.history.append(Intended(NOW, number, text, topic.name, 0, "o-1"))
        self.history.append(Answered(NOW, number, delivery.position))
        return delivery

    def stores(
        self, topic: str, message: Message, number: int, *, sender: str = "outside", foreign: bool = False
    ) -> Delivery:
        """It is in the topic's first log."""
        log, codec = self.logs[Place(topic, 0)], self.wiring.topics[topic].codec
        properties = {"message_id": name(number), "type": contract_name(type(message)), "sender": sender}
        position, body = Position(1, len(log)), codec.encode(message)
        log.append(Delivery(topic, 0, position, None, body, {} if foreign else properties, NOW, None))
        return log[-1]

    # the store

    def applies(self, actor: str, delivery: Delivery, state: State, **other: Any) -> JournalRow:
        """The journal's row of a delivery, and the state after it."""
        about = {
            "schema": self.wiring.topics[delivery.topic].codec.schema.fingerprint,
            "body": delivery.body,
            "message_id": id_of(delivery.properties.get("message_id", "")),
            "type": delivery.properties.get("type", ""),
            "source": f"{delivery.topic}/{delivery.partition}",
            "position": str(delivery.position),
            "published_at": delivery.published_at,
        }
        return self._journals(actor, state, {**about, **other})

    def fires(self, actor: str, timer: Timer, number: int, state: State, **other: Any) -> JournalRow:
        """The journal's row of a timer, due now."""
        kind = contract_name(type(timer))
        codec = self.wiring.actors[actor].timers[kind]
        about = {"message_id": id_of(name(number)), "type": kind, "source": "timer"}
        written = {"schema": codec.schema.fingerprint, "body": codec.encode(timer)}
        return self._journals(actor, state, {**about, **written, **other})

    def tells(self, actor: str, outcome: Outcome, effect: int, state: State, **other: Any) -> JournalRow:
        """The journal's row of the first outcome of the effect of this number."""
        kind = contract_name(type(outcome))
        codec = self.wiring.actors[actor].outcomes[kind]
        about = {"message_id": derive(id_of(name(effect)), 0), "type": kind, "source": "effect"}
        written = {"schema": codec.schema.fingerprint, "body": codec.encode(outcome)}
        return self._journals(actor, state, {**about, **written, **other})

    def _journals(self, actor: str, state: State, other: dict[str, Any]) -> JournalRow:
        version = 1 + sum(row.actor == actor for row in self.journal)
        row = JournalRow(
            actor, b"", f"{actor}/0", "o-1", "applied", "", "", b"", "", "", name(0), "", NOW, NOW, NOW,
            "by hand", version, state_hash(state), "[]", None, None,
        )  # fmt: skip
        self.journal.append(row._replace(**other))
        return self.journal[-1]

    def fails(self, actor: str, delivery: Delivery, number: int, now: Instant = NOW) -> None:
        """A line of the ledger."""
        who = actor, id_of(delivery.properties["message_id"])
        self.unapplied.failures.append(FailureRow(*who, number, f"{actor}/0", "o-1", "E", "", "", "by hand", now))

    def parks(self, actor: str, delivery: Delivery, ordinal: int, state: State) -> None:
        """It waits for its key at this place."""
        row = self.applies(actor, delivery, state, disposition="parked", version=0)
        waits = ParkedRow(
            actor, row.key, ordinal, row.shard, row.message_id, row.type, row.schema, row.body, row.source,
            row.position, row.correlation_id, "", NOW, NOW, "{}", "", NOW,
        )  # fmt: skip
        self.unapplied.tails.setdefault((actor, row.key), []).append(waits)

    def holds(self, actor: str, first: int, last: int) -> None:
        """The key waits for a person, with what is behind it from the first place to the last."""
        key = ParkedKey(actor, "o-1", f"{actor}/0", "held", first, last, 0, None, "E", "", NOW)
        self.unapplied.keys[actor, "o-1"] = key

    def buries(self, actor: str, delivery: Delivery, failures: int, state: State) -> None:
        """It is dead, and in the index."""
        row = self.applies(actor, delivery, state, disposition="dead", version=0)
        self.unapplied.dead.append(
            DeadLetter(
                actor, row.message_id, row.shard, row.key, row.type, row.schema, row.body, row.source, row.position,
                row.correlation_id, "", NOW, NOW, "{}", "", "E", "", "", failures, 0, NOW, "dead",
            )
        )  # fmt: skip

    def writes(self, topic: str, delivery: Delivery, attempt: int, due: Instant = NOW) -> None:
        """A letter about it is on this topic."""
        log = self.logs[Place(topic, 0)]
        properties = {**delivery.properties, "attempt": str(attempt), "due": to_iso(due)}
        log.append(Delivery(topic, 0, Position(2, len(log)), "o-1", delivery.body, properties, NOW, None))

    def keeps(self, actor: str, state: State, key: str = "o-1", **other: Any) -> StateRow:
        """The state's row."""
        codec = self.wiring.actors[actor].codec
        row = StateRow(actor, key, f"{actor}/0", 1, codec.schema.fingerprint, codec.encode(state), NOW)
        self.states.append(row._replace(**other))
        return row

    def arms(self, actor: str, timer: Timer, number: int, due: Instant) -> TimerRow:
        """The timer's row."""
        kind = contract_name(type(timer))
        codec = self.wiring.actors[actor].timers[kind]
        row = TimerRow(
            actor, "o-1", type(timer).__name__, f"{actor}/0", id_of(name(number)), due, kind, codec.schema.fingerprint,
            codec.encode(timer), name(0), "",
        )  # fmt: skip
        self.timers.append(row)
        return row

    def owns(self, shard: str, *, commits: int = 0, lane: int = 0, **positions: Position) -> None:
        """The shard's row; `positions` are up to where each topic's partition 0 is committed."""
        places = {f"{topic.replace('_', '-')}/0": position for topic, position in positions.items()}
        self.shards[shard] = ShardRow(
            shard,
            1,
            "w1",
            commits,
            lane,
            clean=False,
            generation=0,
            floor=NOW,
            contracts=0,
            since=NOW,
            why="",
            positions=places,
        )

    def commits(self, shard: str, count: int, *lane: LaneRow, epoch: int = 1, current: int = 1) -> None:
        """A commit that the database accepted, after so many others."""
        self.history.append(Committed(NOW, "w1", shard, epoch, current, count, lane, (), ()))
