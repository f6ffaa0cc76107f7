"""Taking on what was left: each row is read, handled, and what becomes of it saved and read back, by the real engine.

A handler that refuses has handled its message. One that stumbles (an attribute of nothing, a division by zero) over
what an older version has left, and not over the same sample as this code writes it, has not: no shape tells of that.
"""

from __future__ import annotations

import logging
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from magnetar.runtime.errors import HandlerFailed, MisuseError, NotSent
from magnetar.runtime.identity import to_text
from magnetar.runtime.instant import from_datetime
from magnetar.runtime.rehearsal.filling import Filling
from magnetar.runtime.rehearsal.likeness import in_stead
from magnetar.runtime.rehearsal.trials import Trial, Way, trials_of
from magnetar.runtime.store.port import Disposition
from magnetar.runtime.testing import World
from magnetar.runtime.wiring import checked_key
from magnetar.runtime.worker.arrival import EFFECT, TIMER
from magnetar.runtime.worker.observer import Observer
from magnetar.schemas import DecodeFailed, EncodeFailed, Kept, Outcome, Schema, contract_name

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from magnetar.runtime.app import App
    from magnetar.runtime.bus.memory import MemoryBus
    from magnetar.runtime.effects import Call
    from magnetar.runtime.rehearsal.trials import Left
    from magnetar.runtime.wiring import ActorPlan, EffectPlan, Wiring
    from magnetar.runtime.worker.engine import Surroundings
    from magnetar.schemas import Codec, Effect

STUMBLES = (
    LookupError, AttributeError, TypeError, NameError, ArithmeticError, AssertionError, MisuseError, EncodeFailed,
)  # fmt: skip
"""What a handler raises by mistake. Whatever else it raises is its word on the message."""

SETTLED = 60.0
"""Seconds of virtual time after which to look whether everything was tried: bells ring within these."""

ROUNDS = 120
"""So often it is looked: a dependency's budget, or its queue, may let few through at a time."""

PATIENCE = 50_000
"""Steps after which actors that answer each other for ever are left alone."""


class Stuck(NamedTuple):
    """What was left and is not handled. `about` is the sample that is to blame, `path` within it."""

    about: Left
    trial: Trial
    path: str
    reason: str


def rehearse(app: App, left: Mapping[str, Sequence[Left]]) -> list[Stuck]:
    """Return what of all that was left this app cannot go on with, each version's sample once.

    `left` are samples by contract, oldest version first; those with version '' are this code's own, and to compare
    with. Raises `AppInvalid`.
    """
    wiring = app.wire()
    trials, found = readable(wiring, trials_of(wiring, left))
    rehearsal = Rehearsal(app, trials, left)
    with closing(rehearsal), _quietly():
        with suppress(MisuseError):  # two actors that answer each other for ever: what is tried was handled long since
            rehearsal.settle()
        found += rehearsal.judged()
    return list({(each.about, each.path, each.reason): each for each in found}.values())


def readable(wiring: Wiring, trials: Sequence[Trial]) -> tuple[list[Trial], list[Stuck]]:
    """Those that can be read, under the keys that they have; the others, and why not."""
    well: list[Trial] = []
    stuck: list[Stuck] = []
    opening = _Opening()
    for trial in trials:
        plan, left = wiring.actors[trial.actor], trial.about
        try:
            if trial.state is not None:
                opening.opened(plan.codec, trial.state)
            left = trial.message
            key = _key(wiring, trial, opening.opened(_codec(plan, trial), left))
        except DecodeFailed as error:
            stuck.append(Stuck(left, trial, error.path, error.reason))
        else:
            well += [] if key is None else [trial._replace(key=key)]
    return well, stuck


class _Opening:
    """Reads each sample once, however many trials it is in."""

    def __init__(self) -> None:
        self._found: dict[tuple[int, str, bytes], Any] = {}

    def opened(self, codec: Codec[Any], left: Left) -> Any:  # noqa: ANN401 - a message or a state
        """As `opened`."""
        place = (id(codec), left.text, left.body)
        if place not in self._found:
            self._found[place] = opened(codec, left)
        return self._found[place]


def opened(codec: Codec[Any], left: Left) -> Any:  # noqa: ANN401 - a message or a state
    """What a sample is to this code. Raises `DecodeFailed`."""
    return codec.decode(left.body, Schema.parse(left.text), Kept(left.contract, "sample", left.version))


def _codec(plan: ActorPlan, trial: Trial) -> Codec[Any]:
    if trial.way is Way.EFFECT:
        return plan.effects[trial.type].codec
    if trial.source == TIMER:
        return plan.timers[trial.type]
    if trial.source == EFFECT:
        return plan.outcomes[trial.type]
    return next(topic.codec for topic in plan.sources if topic.name == trial.source.rpartition("/")[0])


def _key(wiring: Wiring, trial: Trial, message: Any) -> str | None:  # noqa: ANN401 - of any type
    """What comes by a topic has its key in it; None for one that nobody can have sent."""
    if trial.way is not Way.UNSENT:
        return trial.key
    kind = wiring.actors[trial.actor].kinds[type(message)]
    try:
        return None if kind.key is None else checked_key(kind.key(message), kind.name)
    except MisuseError:
        return None


class Rehearsal(World):
    """A world whose store an earlier release has left. It notes what fails, and goes on."""

    patience = PATIENCE

    def __init__(self, app: App, trials: Sequence[Trial], samples: Mapping[str, Sequence[Left]]) -> None:
        """`trials` can all be read. `samples`: what the outside answers is one of these."""
        self._heard = _Hearing()
        super().__init__(app, parks=True)
        self._trials = trials
        self._stead = in_stead(trials)
        self._tried = [each for each in trials if self._stead[each.number] is each]
        self._reasons: dict[int, str] = {}
        for plan in self.wiring.actors.values():
            for effect in plan.effects.values():
                self.effects[effect.request] = _answering(plan, effect, samples)
        self._fill()
        self._restart()  # a worker knows the schemas that were there when it started

    def _around(self, bus: MemoryBus) -> Surroundings:
        return replace(super()._around(bus), observer=self._heard)

    def _fill(self) -> None:
        filling, store = Filling(self.wiring, from_datetime(self.now)), self.database.open()
        filling.write(store, self._tried)
        store.close()
        requests = self.database.requests()
        requests.ask(filling.requests)
        requests.close()

    def advance(self, duration: float) -> None:
        """As of any world; what was not handled until now may be afterwards."""
        self._reasons.clear()
        super().advance(duration)

    def settle(self) -> None:
        """Let time pass until everything was tried, two hours at most."""
        waiting = self._tried
        for _ in range(ROUNDS):
            self.advance(SETTLED)
            waiting = [each for each in waiting if self._error(each) is None and self._unhandled(each)]
            if not waiting:
                return

    def close(self) -> None:
        """Let everything go."""
        self.__exit__(None, None, None)

    def judged(self) -> list[Stuck]:
        """What was not handled; what a handler has stumbled over, where it does not over what this code writes.

        What was not tried itself has the fate of the one that it is alike.
        """
        stumbles = {each.number: error for each in self._trials if isinstance(error := self._error(each), STUMBLES)}
        excused = _Excused(self._trials, stumbles)
        found: list[Stuck] = []
        for trial in self._trials:
            error = stumbles.get(trial.number)
            if error is not None and not excused.covers(trial, error):
                reason = f"its handler of {trial.type} raises {type(error).__name__}: {error}"
                found.append(Stuck(trial.about, trial, getattr(error, "path", "$"), reason))
            elif self._error(trial) is None and (reason := self._unhandled(trial)):
                found.append(Stuck(trial.about, trial, "$", reason))
        return found

    def _error(self, trial: Trial) -> BaseException | None:
        return self._heard.errors.get(to_text(self._stead[trial.number].id))

    def _unhandled(self, trial: Trial) -> str:
        """Why it counts as not handled by now; '' where it was."""
        tried = self._stead[trial.number]
        if tried.number not in self._reasons:
            self._reasons[tried.number] = self._why(tried)
        return self._reasons[tried.number]

    def _why(self, trial: Trial) -> str:
        if trial.way is Way.EFFECT:
            called = any(call.idempotency_key == to_text(trial.id) for _, call in self._asked)
            return "" if called else f"{trial.type} was asked of the outside, and never is"
        entry = self._views.entry(trial.actor, trial.id)
        if entry is not None and entry.disposition == Disposition.PARKED and self._waits_behind_another(trial):
            return ""
        if entry is None or entry.disposition != Disposition.APPLIED:
            key = self._views.parked_key(trial.actor, trial.key)
            why = f"{key.reason}: {key.error_text}" if key is not None else "nobody has taken it"
            return f"the {trial.way} {trial.type} is not handled: {why}"
        return self._unsaved(trial)

    def _waits_behind_another(self, trial: Trial) -> bool:
        """What comes by a topic has a key that other samples have too: one that was refused holds those behind it."""
        place = (trial.actor, trial.key)
        return any((each.actor, each.key) == place and self._error(each) is not None for each in self._trials)

    def _unsaved(self, trial: Trial) -> str:
        """Whether the state is there, of this code's schema, and read back and written again the same."""
        codec, row = self.wiring.actors[trial.actor].codec, self._views.state(trial.actor, trial.key)
        before = 0 if trial.state is None else 1
        if row is None or row.version <= before or row.schema != codec.schema.fingerprint:
            return f"its state is not saved after {trial.type}"
        try:
            state = codec.decode(row.body, codec.schema, Kept(trial.actor, trial.key))
        except DecodeFailed as error:
            return f"what is saved after {trial.type} cannot be read at {error.path}: {error.reason}"
        return "" if codec.encode(state) == row.body else f"what is saved after {trial.type} is read as another value"


class _Hearing(Observer):
    """Notes the last failure of each message."""

    def __init__(self) -> None:
        self.errors: dict[str, BaseException] = {}

    def failing(self, error: HandlerFailed) -> None:
        self.errors[error.message_id] = error.__cause__ or error


@contextmanager
def _quietly() -> Generator[None]:
    """What fails here is no failure of a worker's: nobody has to hear of it."""
    log = logging.getLogger("magnetar.failures")
    log.addFilter(_nothing)
    try:
        yield
    finally:
        log.removeFilter(_nothing)


def _nothing(record: logging.LogRecord) -> bool:  # noqa: ARG001 - whatever it is
    return False


class _Excused:
    """What handlers stumble over in the same way where this code itself has written it: no version is to blame."""

    def __init__(self, trials: Sequence[Trial], stumbles: Mapping[int, BaseException]) -> None:
        own = [each for each in trials if not each.about.version]
        self._twins = {each.twin for each in own}
        stumbled = [(each, type(stumbles[each.number])) for each in own if each.number in stumbles]
        self._alike = {(each.twin, kind) for each, kind in stumbled}
        self._ever = {(each.type, kind) for each, kind in stumbled}

    def covers(self, trial: Trial, error: BaseException) -> bool:
        """Whether the same sample of this code's, or where there is none any of its samples, has the same fate."""
        if not trial.about.version:
            return True
        if trial.twin in self._twins:
            return (trial.twin, type(error)) in self._alike
        return (trial.type, type(error)) in self._ever


def _answering(
    plan: ActorPlan, effect: EffectPlan, samples: Mapping[str, Sequence[Left]]
) -> Callable[[Effect, Call], Outcome]:
    """The outside says yes, with the newest sample of what it may say; without any it cannot be reached."""
    name = contract_name(effect.successes[0])
    found = samples.get(name, ())

    def answer(request: Effect, call: Call) -> Outcome:  # noqa: ARG001 - whatever is asked
        if not found:
            message = f"there is no sample of {name}"
            raise NotSent(message)
        outcome: Outcome = opened(plan.outcomes[name], found[-1])
        return outcome

    return answer
