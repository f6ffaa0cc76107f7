"""The kinds of steps: what a worker can be at when a fault strikes, each a short script without any chance in it.

A script is a few letters and a few cues at fixed times. Faults strike between `begins` and `ends`; then there is time
to recover from them, everything is healed, and one more message shows that the worker lives.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from magnetar.chaos.matrix import cues
from magnetar.chaos.matrix.cues import KEY, Cue
from magnetar.chaos.simulation.cashiers import Fuss, Settle
from magnetar.chaos.simulation.clerks import HANDLED, NEVER, STUBBORN, Note
from magnetar.chaos.simulation.letters import Letter
from magnetar.chaos.simulation.options import Options
from magnetar.chaos.simulation.schedule import Schedule
from magnetar.chaos.simulation.warehouse import Ask, Pay, Place
from magnetar.runtime.store.requests import What
from magnetar.runtime.worker.batch import Limits
from magnetar.runtime.worker.engine import Settings
from magnetar.runtime.worker.membership import ALONE
from magnetar.runtime.worker.ownership import Tenure
from magnetar.runtime.worker.reception import Office
from magnetar.runtime.worker.relay import Pace
from magnetar.runtime.worker.timers import Clockwork
from magnetar.runtime.worker.winning import Winner

if TYPE_CHECKING:
    from collections.abc import Mapping

    from magnetar.schemas import Command

ROOM = 2.5
"""Seconds to recover, between the last instant at which a fault may strike and healing."""

LAST = "one-more"
"""The id of the message that is sent when everything is healed."""

OTHER = "o-2"

QUICK = Settings(
    limits=Limits(tidy=0.1, idle=600.0),
    pace=Pace(poll=0.01, idle_close=1.0),
    clockwork=Clockwork(poll=0.02),
    tenure=Tenure(storeless=1.0, disconnected=0.5, liveness=ALONE, winner=Winner(poll=0.01)),
)


ASKED = replace(QUICK, office=Office(poll=0.06, busy=0.06))
"""Where somebody asks, who is not kept waiting."""


@dataclass(frozen=True, slots=True)
class Step:
    """A kind of step, as a script. `begins`, `ends`: when faults may strike, in seconds into the run.

    `articles`: which policy the failing clerks have, see there.
    """

    name: str
    tells: str
    letters: tuple[Letter, ...]
    begins: float
    ends: float
    cues: tuple[Cue, ...] = ()
    settings: Settings = QUICK
    workload: str = "trade"
    articles: int = 1

    @property
    def schedule(self) -> Schedule:
        """The run of it, without its cues."""
        healed = self.ends + ROOM
        letters = (*self.letters, Letter(healed + 0.1, _LAST[self.workload], LAST))
        return Schedule(0, self.workload, _options(healed, self.settings, self.articles), letters, ())


_LAST: Mapping[str, Command] = {
    "trade": Ask(order_id=KEY),
    "failing": Note(desk=OTHER, word=LAST),
    "charging": Settle(bill=OTHER, moods=("ok",)),
}


def _options(duration: float, settings: Settings, articles: int) -> Options:
    return Options(
        workers=1,
        scheduler="fifo",
        partitions=1,
        receiver_queue=10,
        orders=1,
        articles=articles,
        duration=duration,
        cost=0.0005,
        skew=0.0,
        leftovers=False,
        rate=1.0,
        kinds=frozenset(),
        settings=settings,
    )


def _ask(at: float, name: str | None = "ask") -> Letter:
    return Letter(at, Ask(order_id=KEY), name)


def _place(at: float, patience: float) -> Letter:
    return Letter(at, Place(order_id=KEY, sku="s-1", quantity=1, patience=patience), "place")


def _note(at: float, fails: int = 0, rings: float = 0.0) -> Letter:
    word = f"at {at}"
    return Letter(at, Note(desk=KEY, word=word, fails=fails, echoes=True, rings=rings), word)


def _failing(name: str, tells: str, letters: tuple[Letter, ...], begins: float, ends: float, *, hold: bool) -> Step:
    """Each failure parks; a dead letter holds its key, or is skipped."""
    return Step(name, tells, letters, begins, ends, workload="failing", articles=1 if hold else 2)


def _settle(at: float, *moods: str) -> Letter:
    return Letter(at, Settle(bill=KEY, moods=moods), "settle")


def _pay(at: float) -> Letter:
    return Letter(at, Pay(order_id=KEY, amount=100), "pay")


RELAY = Step(
    "relay",
    "a message sends another, which is answered, and sets timers",
    (_place(0.3, patience=2.4),),
    0.3,
    0.9,
)
"""Also the one message in whose way pairs of faults strike."""

_ALL = (
    Step("start", "a worker starts, and finds a message", (_ask(0.0),), 0.0, 0.3),
    Step("first-message", "the first message of a key", (_ask(0.3),), 0.3, 0.5),
    Step("message", "a message to a key that is live", (_ask(0.2, "ask-0"), _ask(0.4)), 0.4, 0.6),
    Step("foreign-message", "a message of a producer that knows nothing of us", (_ask(0.3, None),), 0.3, 0.5),
    Step("timer-fired", "a timer fires and sets the next", (_place(0.1, patience=1.5),), 0.55, 0.75),
    Step("timer-cancelled", "a message cancels timers", (_place(0.1, patience=1.8), _pay(0.4)), 0.4, 0.6),
    RELAY,
    Step(
        "passivation",
        "an idle order leaves memory, and a message brings it back",
        (_ask(0.2, "ask-0"), _ask(3.3)),
        1.0,
        3.5,
        settings=replace(QUICK, limits=replace(QUICK.limits, idle=1.0)),
    ),
    Step(
        "takeover",
        "another worker takes what is unsent, unfired and unread",
        (_place(0.2, patience=1.8), _ask(0.5)),
        0.5,
        0.9,
        cues=(Cue(0.1, cues.hold_sends), Cue(0.5, cues.take_over)),
    ),
    Step(
        "drain",
        "a worker leaves in the middle of its work, and another one goes on",
        (_place(0.3, patience=1.8),),
        0.3,
        0.9,
        cues=(Cue(0.301, cues.drain),),
    ),
    Step(
        "drain-while-opening",
        "a worker leaves before the broker has answered it",
        (_ask(0.3),),
        0.3,
        0.6,
        cues=(Cue(0.3, cues.one_too_many), Cue(0.4, cues.not_needed), Cue(0.5, cues.answer)),
    ),
    Step(
        "renewal",
        "a broker has been silent for so long that the worker connects anew",
        (_ask(0.1, "ask-0"), _ask(0.5)),
        0.9,
        2.6,
        cues=(Cue(0.3, cues.cut_off), Cue(2.2, cues.let_through)),
        settings=replace(QUICK, tenure=replace(QUICK.tenure, check=0.2, disconnected=5.0, silent=0.8)),
    ),
    Step(
        "going-back",
        "a worker finds that its store is an older copy, and handles again what it lacks",
        (_ask(0.1, "ask-0"), _place(0.3, patience=1.8)),
        0.7,
        1.2,
        cues=(Cue(0.25, cues.back_up), Cue(0.7, cues.restore)),
    ),
    Step(
        "reading-back",
        "commits of unknown outcome are read back: one that did not happen, and one that did",
        (_ask(0.3, "ask-0"), _ask(0.5)),
        0.3,
        0.8,
        cues=(Cue(0.2, cues.lose_a_commit), Cue(0.4, cues.lose_an_answer)),
    ),
    _failing(
        "park", "a message fails, and its key is parked until its bell rings", (_note(0.3, 1),), 0.3, 0.5, hold=False
    ),
    _failing(
        "tail",
        "messages and a timer come for a key that is parked",
        (_note(0.2, rings=0.1), _note(0.25, 1), _note(0.35)),
        0.28,
        0.42,
        hold=False,
    ),
    _failing(
        "retry",
        "a head is tried again, fails once more, is applied, and its tail after it",
        (_note(0.1, 2), _note(0.15, rings=0.2), _note(0.2)),
        0.28,
        1.2,
        hold=False,
    ),
    _failing(
        "dead-letter",
        "a message dies, and what comes for its key waits for a person",
        (_note(0.3, NEVER), _note(0.35)),
        0.3,
        0.5,
        hold=True,
    ),
    _failing(
        "careful",
        "a message ends its worker, and each one after it, until it is a dead letter",
        (_note(0.1), Letter(0.2, Note(desk=KEY, word="deadly", kills=HANDLED), "deadly"), _note(0.25)),
        0.3,  # its first worker has ended, and the next one has few in a group
        1.75,
        hold=True,
    ),
    _failing(
        "dead-letter-skipped",
        "a message that waited dies, and its key goes on without it",
        (_note(0.1, 1), _note(0.15, NEVER), _note(0.2)),
        0.28,
        0.6,
        hold=False,
    ),
    Step(
        "request",
        "a person has a head skipped that is parked, and its tail goes on",
        (_note(0.1, 3), _note(0.15, rings=0.1)),
        0.2,
        0.4,
        cues=(Cue(0.2, cues.asks(What.SKIP)),),
        settings=ASKED,
        workload="failing",
    ),
    Step(
        "replay",
        "a person replays a dead letter, which fails once more, and is applied then, and its tail after it",
        (_note(0.1, STUBBORN), _note(0.15)),
        1.6,
        2.0,
        cues=(Cue(1.6, cues.asks(What.RETRY)), Cue(1.8, cues.asks(What.RETRY))),
        settings=ASKED,
        workload="failing",
    ),
    Step("effect", "a message asks for an effect", (_settle(0.3, "ok"),), 0.3, 0.32, workload="charging"),
    Step(
        "effect-attempt",
        "an attempt is committed, then it is called",
        (_settle(0.3, "ok"),),
        0.32,
        0.36,
        workload="charging",
    ),
    Step(
        "effect-outcome",
        "an answer comes, and the outcome is told",
        (_settle(0.3, "ok"),),
        0.36,
        0.5,
        workload="charging",
    ),
    Step(
        "effect-again",
        "nobody knows what became of an attempt, and the other side is asked again under the same key",
        (_settle(0.1, "torn", "busy", "ok"),),
        0.1,
        0.9,
        workload="charging",
    ),
    Step(
        "effect-fatal",
        "a call ends its worker, the next one is careful, and asks again when that attempt has had its time",
        (_settle(0.1, "fatal", "ok"), Letter(0.15, Fuss(bill=OTHER, fails=0), "fuss")),
        0.1,
        0.9,
        workload="charging",
    ),
    Step(
        "effect-takeover",
        "another worker takes what a call is under way for, and asks again when that has had its time",
        (_settle(0.2, "slow", "ok"),),
        0.28,
        0.9,
        cues=(Cue(0.3, cues.take_over),),
        workload="charging",
    ),
)

STEPS: Mapping[str, Step] = {step.name: step for step in _ALL}
"""Every kind of step, by name."""
