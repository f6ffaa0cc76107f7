"""A `World` in which things go wrong, as a list of troubles says."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from magnetar.chaos.evidence import gather
from magnetar.chaos.trials.obstacles import Crash, Gate, Trap
from magnetar.chaos.trials.trouble import Extent
from magnetar.runtime import World
from magnetar.runtime.identity import mint, to_text
from magnetar.runtime.instant import Instant, micros, seconds
from magnetar.runtime.worker.intake import Receiving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from uuid import UUID

    from magnetar.chaos.evidence import Evidence
    from magnetar.chaos.trials.trouble import Trouble
    from magnetar.runtime import App
    from magnetar.runtime.bus.memory import MemoryBus
    from magnetar.runtime.store.port import TimerRow
    from magnetar.runtime.worker.engine import Engine, Surroundings
    from magnetar.schemas import Event, Message

_SHORT = 72
_END = 1_000_000
"""More steps than any story has."""


class Happening(NamedTuple):
    """What went wrong, and when by the world's time."""

    at: timedelta
    what: str


@dataclass(frozen=True, slots=True)
class Saying:
    """A message that the story sends: `deliver(id)` sends it for good."""

    number: int
    step: int
    what: str
    at: str
    deliver: Callable[[str], str]


class TrialWorld(World):
    """Counts the story's steps (its calls that do something), and does to each what the troubles want.

    What is late waits for a later step, or for an instant; `finish` lets all of it come.
    """

    patience: ClassVar[int] = 5_000

    def __init__(self, app: App, troubles: Iterable[Trouble]) -> None:
        """The list may be empty: then it is as any world."""
        troubles = list(troubles)
        self._told: dict[object, Happening] = {}
        self._sendings = {(each.kind, each.number): each for each in troubles if not each.point}
        self._sent = 0
        self._last = ""
        self._steps = 0
        self._calls = 0
        self._late: list[tuple[int, Callable[[], None]]] = []
        self._races: list[tuple[Instant, Callable[[], None]]] = []
        self._noise = random.Random(0)  # noqa: S311 - ids must be repeatable
        self._trap = Trap(troubles, self._tell)
        self._gate = Gate(troubles, self._tell)
        self._begin: Instant | None = None
        super().__init__(app)
        self._begin = self._now

    # the story's side

    def send(self, message: Message, *, id: str | UUID | None = None) -> str:  # noqa: A002 - as the world's
        """As in any world, with trouble."""
        return self._say(message, id, lambda chosen: super(TrialWorld, self).send(message, id=chosen))

    def publish(self, event: Event, *, by: str, id: str | None = None) -> str:  # noqa: A002 - as the world's
        """As in any world, with trouble."""
        return self._say(event, id, lambda chosen: super(TrialWorld, self).publish(event, by=by, id=chosen))

    def advance(self, duration: float) -> None:
        """As in any world, with trouble."""
        self._last = f"{duration:g} s"
        self._pass(self._now + micros(duration))
        self._step()

    def crash(self) -> None:
        """As in any world: this crash is the story's own."""
        self._last = "the story's crash"
        super().crash()
        self._step()

    # the trial's side

    def finish(self) -> None:
        """The story is over: what is late comes, each race has its end, and from now on nothing goes wrong."""
        self._calls = self._steps
        self._last = "the end of the story"
        self._gate.calm()
        self._step(_END)
        if self._races:
            self._pass(max(map(itemgetter(0), self._races)) + 1)  # the timer too that a message was before
        self._trap.calm()
        self._sendings.clear()

    def extent(self) -> Extent:
        """How much there was that could have gone wrong."""
        return Extent(self._calls, self._sent, self._gate.handed, dict(self._trap.reached))

    def evidence(self) -> Evidence:
        """What is there now."""
        return gather(self.wiring, self.broker, self._views, self._now)

    @property
    def told(self) -> list[Happening]:
        """The troubles that took effect, in the order in which they did."""
        return list(self._told.values())

    def _tell(self, what: str, about: object = None) -> None:
        """Of what is told again only the last stands: that it came, no more that it was on its way."""
        about = object() if about is None else about
        self._told.pop(about, None)
        self._told[about] = Happening(self._elapsed(), what)

    def _elapsed(self) -> timedelta:
        return timedelta(microseconds=0 if self._begin is None else self._now - self._begin)

    # what becomes of a message

    def _say(self, message: Message, chosen: str | UUID | None, deliver: Callable[[str], str]) -> str:
        self._sent += 1
        own = self._minted() if chosen is None else str(chosen)
        saying = Saying(self._sent, self._steps + 1, _short(message), str(self._elapsed()), deliver)
        self._last = type(message).__name__
        self._say_first(saying, own)
        if chosen is None:
            self._repeat("again", saying, self._minted(), "is sent again under a new id: a second click")
        self._repeat("twice", saying, own, "is delivered again under its own id")
        self._step()
        return own

    def _say_first(self, saying: Saying, own: str) -> None:
        race, late = (self._sendings.get((kind, saying.number)) for kind in ("race", "late"))
        timer = self._next_timer() if race is not None else None
        words = f"{saying.what}, sent at {saying.at}, arrives only now"
        if race is not None and timer is not None:
            side = "before" if race.before else "after"
            told = f"{words}: just {side} timer {timer.name} of {timer.key!r}"
            self._races.append((timer.due - race.before, partial(self._deliver, saying, own, told, saying)))
        elif late is not None:
            self._later(late, partial(self._overtaken, saying, own, words, saying))
        else:
            saying.deliver(own)
            return
        self._tell(f"{saying.what} is sent and does not arrive", saying)

    def _repeat(self, kind: str, saying: Saying, message_id: str, words: str) -> None:
        trouble = self._sendings.get((kind, saying.number))
        if trouble is not None:
            self._later(trouble, partial(self._overtaken, saying, message_id, f"{saying.what} {words}"))

    def _overtaken(self, saying: Saying, message_id: str, told: str, about: object = None) -> None:
        after = f", after {self._last}" if self._steps > saying.step else ""
        self._deliver(saying, message_id, f"{told}{after}", about)

    def _deliver(self, saying: Saying, message_id: str, told: str, about: object = None) -> None:
        self._tell(told, about)
        saying.deliver(message_id)

    def _later(self, trouble: Trouble, act: Callable[[], None]) -> None:
        self._late.append((self._steps + 1 + trouble.steps, act))

    # time

    def _step(self, steps: int = 1) -> None:
        """The story has done something: what was late until now comes."""
        self._steps += steps
        if self._gate.open(self._steps):
            self._run()
        ready = [act for until, act in self._late if until <= self._steps]
        self._late = [each for each in self._late if each[0] > self._steps]
        for act in ready:
            act()

    def _pass(self, until: Instant) -> None:
        """Let time pass, with the races that end on the way."""
        ending = sorted((race for race in self._races if race[0] <= until), key=itemgetter(0))
        self._races = [race for race in self._races if race[0] > until]
        for at, act in ending:
            super().advance(seconds(max(0, at - self._now)))
            act()
        super().advance(seconds(max(0, until - self._now)))

    def _next_timer(self) -> TimerRow | None:
        rows = [(actor, row.key) for actor in self.wiring.actors for row in self._views.states_of(actor)]
        timers = [timer for who in rows for timer in self._views.timers_of(*who) if timer.due > self._now]
        return min(timers, key=lambda timer: (timer.due, timer.actor, timer.key, timer.name), default=None)

    def _minted(self) -> str:
        return to_text(mint(self._now, self._noise.randbytes))

    # the worker's side

    def _around(self, bus: MemoryBus) -> Surroundings:
        receiving = Receiving(self._gate.sourced, wake=lambda: None)
        return replace(super()._around(bus), receiving=receiving, points=self._trap)

    def _worker(self) -> tuple[MemoryBus, Engine]:
        while True:
            try:
                return super()._worker()
            except Crash:
                continue

    def _run(self) -> Instant | None:
        while True:
            try:
                return super()._run()
            except Crash:
                self._restart()

    def _waiting(self, topic: str, partition: int, subscription: str) -> bool:
        return not self._gate.shut(topic, partition) and super()._waiting(topic, partition, subscription)


def _short(message: Message) -> str:
    text = repr(message)
    return text if len(text) <= _SHORT else f"{text[: _SHORT - 1]}…"
