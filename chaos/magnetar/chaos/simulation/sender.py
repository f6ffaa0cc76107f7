"""Whoever sends from outside: publishes letters, tries again when the answer is lost, and writes its own log."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from magnetar.chaos.history import Answered, Intended
from magnetar.runtime.bus.port import BusError, Outgoing
from magnetar.runtime.instant import to_iso
from magnetar.runtime.routing import partition_of
from magnetar.schemas import contract_name, key_field

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable

    from magnetar.chaos.history import History
    from magnetar.chaos.simulation.agenda import Agenda
    from magnetar.chaos.simulation.chance import Chance
    from magnetar.chaos.simulation.letters import Letter
    from magnetar.runtime.bus.memory import MemoryBus
    from magnetar.runtime.bus.port import Opening, Position, Producer
    from magnetar.runtime.wiring import Topic, Wiring

OUTSIDE = "outside"
"""What this sender's messages say of where they come from."""

GIVES_UP = 0.1
"""How likely a sender is to leave it at an unknown outcome, at each failure."""


class Sender:
    """Publishes each letter, as often as it says. `busy`: how many copies are on their way."""

    def __init__(self, bus: MemoryBus, wiring: Wiring, agenda: Agenda, history: History, chance: Chance) -> None:
        self.bus = bus
        self.busy = 0
        self._wiring = wiring
        self._agenda = agenda
        self._history = history
        self._chance = chance

    def plan(self, letters: Iterable[Letter]) -> None:
        """Put every copy of every letter on the agenda."""
        for number, letter in enumerate(letters):
            draw = self._chance.stream("letter", number)
            sending, topic = self._intended(number, letter, draw.randrange(1_000_000))
            self._history.append(sending)
            message = self._outgoing(letter, topic)
            for copy in range(letter.copies):
                errand = Errand(self, sending, topic, message, f"client-{number}-{copy}", self._chance)
                delay = letter.at + (draw.expovariate(1.0) if copy else 0.0)
                self.busy += 1
                self._agenda.aside(delay, errand.try_it)

    def _intended(self, number: int, letter: Letter, noise: int) -> tuple[Intended, Topic]:
        topic = self._wiring.destination(None, letter.message)
        name = key_field(type(letter.message))
        assert name is not None, f"{type(letter.message).__name__} has no key"
        key: str = getattr(letter.message, name)
        count = topic.partitions or 1
        partition = partition_of(key, count)
        if letter.astray:
            partition = (partition + noise) % count
        return Intended(self._agenda.now, number, letter.message_id, topic.name, partition, key), topic

    def _outgoing(self, letter: Letter, topic: Topic) -> Outgoing:
        body = topic.codec.encode(letter.message)
        if letter.message_id is None:
            return Outgoing(None, body, {})
        properties = {
            "message_id": letter.message_id,
            "type": contract_name(type(letter.message)),
            "schema": topic.codec.schema.fingerprint,
            "correlation_id": letter.message_id,
            "occurred_at": to_iso(self._agenda.now),
            "sender": OUTSIDE,
        }
        return Outgoing(None, body, properties | ({"asks": "1"} if letter.asks else {}))

    def later(self, delay: float, errand: Errand) -> None:
        """Come back to an errand."""
        self._agenda.aside(delay, errand.try_it)

    def tell(self, what: str) -> None:
        """A line of the story."""
        self._history.tell(what)

    def answered(self, number: int, position: Position | None) -> None:
        """A copy was confirmed."""
        self._history.append(Answered(self._agenda.now, number, position))


class Errand:
    """One copy of one letter on its way: a producer of its own, tried until there is an answer or nobody cares.

    Tried again under the same producer name, the broker drops a copy that it has; under a new name it does not, and
    the journal must. A foreign message has no id, so it is tried under its name only.
    """

    def __init__(
        self, sender: Sender, sending: Intended, topic: Topic, message: Outgoing, name: str, chance: Chance
    ) -> None:
        self._sender = sender
        self._sending = sending
        self._topic = topic
        self._message = message
        self._name = name
        self._chance = chance
        self._tries = 0
        self._opening: Opening[Producer] | None = None
        self._producer: Producer | None = None

    @cached_property
    def _draw(self) -> random.Random:
        """Most errands are never in need of one, and to seed it takes as long as to send."""
        return self._chance.stream("errand", self._name)

    def try_it(self) -> None:
        """Go on, as far as one can now."""
        try:
            if self._producer is None:
                self._open()
            else:
                self._listen(self._producer)
        except BusError as error:
            self._failed(str(error))

    def _open(self) -> None:
        if self._opening is None:
            name = f"{self._name}-{self._tries}"
            place = (self._sending.topic, self._sending.partition)
            self._opening = self._sender.bus.produce(*place, name, self._topic.codec.schema.text)
        self._producer = self._opening.poll()
        if self._producer is None:
            self._sender.later(0.05, self)
            return
        self._opening = None
        self._producer.send(1, self._message)
        self._listen(self._producer)

    def _listen(self, producer: Producer) -> None:
        receipts = producer.receipts()
        if not receipts:
            self._sender.later(0.05, self)
            return
        receipt = receipts[0]
        if receipt.error is not None:
            raise receipt.error
        self._sender.answered(self._sending.number, receipt.position)
        producer.close()
        self._sender.busy -= 1

    def _failed(self, why: str) -> None:
        self._opening = None
        if self._producer is not None:
            self._producer.close()
            self._producer = None
            self._sender.tell(f"sender: {self._sending.message_id or 'a foreign message'}: {why}")
        draw = self._draw
        if draw.random() < GIVES_UP:
            self._sender.busy -= 1
            return
        if self._sending.message_id is not None and draw.random() < 0.5:  # noqa: PLR2004 - a coin
            self._tries += 1
        self._sender.later(draw.uniform(0.02, 0.6), self)
