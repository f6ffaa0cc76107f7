"""The in-process broker against a naive model of itself, driven by Hypothesis."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from magnetar.runtime.bus.memory import Broker, Faults, MemoryBus
from magnetar.runtime.bus.port import Busy
from tests.unit.bus.broker import NAME, SUBSCRIPTION, TOPIC, message, outcomes, told

if TYPE_CHECKING:
    from magnetar.runtime.bus.port import Consumer, Position, Producer

QUEUE = 4


@dataclass(eq=False)
class Process:
    """One process: its connection, what it has open, and what a tester who watched it knows of it."""

    bus: MemoryBus
    consumer: Consumer | None = None
    producer: Producer | None = None
    frozen: bool = False
    prefetched: list[int] = field(default_factory=list)
    """What it may still hand out after it was replaced."""


class MemoryBroker(RuleBasedStateMachine):
    """Two processes, one partition, one subscription, one producer name.

    The model: `log` is all that was stored; `cursor` is how many of it are acknowledged; `holder` and `author` are
    the processes that the broker knows; `place` is how far the holder has read.
    """

    def __init__(self) -> None:
        super().__init__()
        self.broker = Broker(lambda: 0, receiver_queue=QUEUE)
        self.broker.provision(TOPIC, 1, [SUBSCRIPTION])
        self.faults = Faults(self.broker)
        self.processes = [Process(MemoryBus(self.broker, name)) for name in ("one", "two")]
        self.log: list[int] = []
        self.highest = 0
        self.cursor = 0
        self.place = 0
        self.holder: Process | None = None
        self.author: Process | None = None

    # What a process does; a frozen one does nothing.

    @rule(number=st.integers(0, 1))
    def subscribe(self, number: int) -> None:
        """A process asks for the subscription; it gets it unless somebody who answers has it."""
        process = self.processes[number]
        if process.frozen:
            return
        opening = process.bus.subscribe(TOPIC, 0, SUBSCRIPTION)
        if self.holder is not None and not self.holder.frozen:
            with pytest.raises(Busy):
                opening.poll()
            return
        if self.holder is not None:
            self.holder.prefetched = self.log[self.place : self.place + QUEUE]
        process.consumer = opening.poll()
        self.holder, self.place = process, self.cursor

    @rule(number=st.integers(0, 1), limit=st.integers(1, 6))
    def receive(self, number: int, limit: int) -> None:
        """The holder reads on from its place; a replaced one hands out what it had prefetched."""
        process = self.processes[number]
        if process.frozen or process.consumer is None:
            return
        found = told(process.consumer.receive(limit, 0))
        step = min(limit, QUEUE)
        if process is self.holder:
            assert found == self.log[self.place : self.place + step]
            self.place += len(found)
        else:
            assert found == process.prefetched[:step]
            process.prefetched = process.prefetched[step:]

    @rule(number=st.integers(0, 1), back=st.integers(0, 3), lost=st.booleans())
    def acknowledge(self, number: int, back: int, lost: bool) -> None:  # noqa: FBT001
        """An ack of something in the log moves the cursor forward, if the holder sends it and it is not lost."""
        process = self.processes[number]
        if process.frozen or process.consumer is None or not self.place - back > 0:
            return
        index = self.place - back
        if lost and process is self.holder:
            self.faults.lose_acks(TOPIC, 0, SUBSCRIPTION)
        process.consumer.acknowledge(self._position(index - 1))
        if process is self.holder and not lost:
            self.cursor = max(self.cursor, index)

    @rule(number=st.integers(0, 1))
    def produce(self, number: int) -> None:
        """A process asks for the producer name, and learns the highest number."""
        process = self.processes[number]
        if process.frozen:
            return
        opening = process.bus.produce(TOPIC, 0, NAME, None)
        if self.author is not None and not self.author.frozen:
            with pytest.raises(Busy):
                opening.poll()
            return
        process.producer = opening.poll()
        assert process.producer is not None
        assert process.producer.last_number == self.highest
        self.author = process

    @rule(
        number=st.integers(0, 1), ahead=st.integers(-2, 3), fault=st.sampled_from(["", "lose_sends", "lose_receipts"])
    )
    def send(self, number: int, ahead: int, fault: str) -> None:
        """What the author sends is stored once by its number; another one's sends never are."""
        process = self.processes[number]
        sent = max(1, self.highest + ahead)
        if process.frozen or process.producer is None:
            return
        if fault and process is self.author:
            getattr(self.faults, fault)(TOPIC, 0)
        process.producer.send(sent, message(sent))
        outcome = "BusUnavailable"
        if process is self.author:
            outcome = self._stored(sent, fault)
        assert outcomes(process.producer.receipts()) == [(sent, outcome)]

    def _stored(self, sent: int, fault: str) -> str:
        """What the model stores, and what the receipt must say."""
        known = sent <= self.highest
        if fault != "lose_sends" and not known:
            self.log.append(sent)
            self.highest = sent
        return "BusUnavailable" if fault else "duplicate" if known else "stored"

    @rule(number=st.integers(0, 1))
    def close_consumer(self, number: int) -> None:
        """A process gives the subscription back; one that lost it disturbs nobody."""
        process = self.processes[number]
        if process.frozen or process.consumer is None:
            return
        process.consumer.close()
        process.consumer = None
        self.holder = None if process is self.holder else self.holder

    # What happens to a process.

    @rule(number=st.integers(0, 1))
    def kill(self, number: int) -> None:
        """All that the process held is free at once; a new process starts."""
        process = self.processes[number]
        process.bus.disconnect()
        self.holder = None if process is self.holder else self.holder
        self.author = None if process is self.author else self.author
        self.processes[number] = Process(MemoryBus(self.broker, "born later"))

    @rule(number=st.integers(0, 1))
    def freeze(self, number: int) -> None:
        """The process stops."""
        self.processes[number].frozen = True
        self.processes[number].bus.freeze()

    @rule(number=st.integers(0, 1))
    def thaw(self, number: int) -> None:
        """The process goes on, and takes again what it lost and nobody holds."""
        process = self.processes[number]
        if not process.frozen:
            return
        process.frozen = False
        process.bus.thaw()
        if process.consumer is not None and self.holder is None and process.consumer.connected():
            self.holder, self.place = process, self.cursor
        if process.producer is not None and self.author is None:
            process.producer.close()  # it may be dead or back: the model does not follow it
            process.producer = None

    # What happens at the broker.

    @precondition(lambda self: self.holder is not None and not self.holder.frozen)
    @precondition(lambda self: self.author is None or not self.author.frozen)
    @rule()
    def unload(self) -> None:
        """The holder is given everything unacknowledged again."""
        self.faults.unload(TOPIC, 0)
        self.place = self.cursor

    @precondition(lambda self: self.holder is not None and not self.holder.frozen)
    @rule(share=st.floats(0, 1))
    def rewind(self, share: float) -> None:
        """The subscription begins again somewhere in the log."""
        if not self.log:
            return
        index = int(share * (len(self.log) - 1))
        self.faults.rewind(TOPIC, 0, SUBSCRIPTION, self._position(index))
        self.cursor = self.place = index

    @invariant()
    def nothing_is_lost_or_invented(self) -> None:
        """The log and the cursor are those of the model, and positions ascend."""
        deliveries = self.broker.log(TOPIC, 0)
        assert told(deliveries) == self.log
        assert self.log == sorted(set(self.log))
        assert self.broker.backlog(TOPIC, 0, SUBSCRIPTION) == len(self.log) - self.cursor
        positions = [delivery.position for delivery in deliveries]
        assert positions == sorted(set(positions))

    @invariant()
    def one_holder(self) -> None:
        """At most one process believes that it holds the subscription: the one that the broker knows."""
        believers = [process for process in self.processes if process.consumer and process.consumer.connected()]
        assert believers == ([self.holder] if self.holder is not None else [])

    def _position(self, index: int) -> Position:
        return self.broker.log(TOPIC, 0)[index].position


MemoryBroker.TestCase.settings = settings(max_examples=150, stateful_step_count=40)
TestMemoryBroker = MemoryBroker.TestCase
