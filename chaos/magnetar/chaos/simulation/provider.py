"""A provider outside the run's workers: it has a log of its own, keeps an answer by idempotency key, and has moods.

Requests and answers are on their way for a while; a worker that dies or freezes meanwhile changes nothing of that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from magnetar.chaos.history import Charged as ChargedEvent
from magnetar.chaos.history import Heard
from magnetar.chaos.simulation.cashiers import TIMEOUT, Charge, Charged, Declined
from magnetar.chaos.simulation.deaths import Crash
from magnetar.runtime import Failed, NotSent
from magnetar.runtime.worker.arrival import EFFECT
from magnetar.runtime.worker.bulkhead import Finished

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from magnetar.chaos.history import History
    from magnetar.chaos.simulation.agenda import Agenda
    from magnetar.chaos.simulation.process import Process
    from magnetar.runtime.store.views import Views
    from magnetar.runtime.worker.bulkhead import Job
    from magnetar.runtime.worker.shard import Shard

_COMMITTED = "an attempt is committed before its call"
_ALONE = "nothing is in hand while an effect is called"

FATAL, FATAL_AFTER = "fatal", 0.03
"""The mood in which a call ends the process that makes it, after so many seconds."""


class Mood(NamedTuple):
    """What becomes of an attempt, in seconds: when it is decided (None: never), and when the call ends.

    `says` is an answer that has nothing to do with what was decided, '' for what is kept under the key; `times`: how
    often it arrives.
    """

    decides: float | None
    answers: float
    says: str = ""
    times: int = 1


MOODS: Mapping[str, Mood] = {
    "ok": Mood(0.01, 0.02),
    "twice": Mood(0.01, 0.02, times=2),
    "no": Mood(0.01, 0.02),
    "slow": Mood(0.01, TIMEOUT * 2.5),
    "overdue": Mood(TIMEOUT * 1.6, TIMEOUT * 1.7),
    "mute": Mood(0.01, TIMEOUT * 1.3, "broken"),
    "lost": Mood(None, TIMEOUT * 1.2, "broken"),
    "broken": Mood(None, 0.02, "broken"),
    "torn": Mood(0.01, 0.02, "broken"),
    "busy": Mood(None, 0.01, "busy"),
    "away": Mood(None, 0.005, "away"),
}
"""By the word in a request: `no` declines, where nothing was decided under the key before; every other one charges.

`overdue`: it is still on its way when its time is over. `mute` and `torn` take the money and do not tell, and `lost`
never arrives; whoever called gives up by himself.
"""


class Provider:
    """One for a run. `pending`: requests and answers that are on their way."""

    def __init__(self, agenda: Agenda, history: History, views: Views) -> None:
        self.pending = 0
        self._agenda = agenda
        self._history = history
        self._views = views
        self._decided: dict[str, str] = {}

    def receive(self, line: Line, job: Job) -> None:
        """A worker calls."""
        request, call = job.request, job.call
        assert isinstance(request, Charge), f"nobody asks {request} here"
        self._look(line.process, job)
        word = request.moods[min(call.attempt, len(request.moods)) - 1]
        if word == FATAL:
            self._later(FATAL_AFTER, line.fall)
            return
        mood = MOODS[word]
        if mood.decides is not None:
            self._later(mood.decides, lambda: self._decide(request, call.idempotency_key, word))
        for _ in range(mood.times):
            self._later(mood.answers, lambda: line.ring(job, self._answer(call.idempotency_key, mood)))

    def _later(self, delay: float, act: Callable[[], None]) -> None:
        def arrive() -> None:
            self.pending -= 1
            act()

        self.pending += 1
        self._agenda.after(delay, arrive)

    def _decide(self, request: Charge, key: str, word: str) -> None:
        """Once a key: what is kept under it is the answer to every later attempt."""
        if key not in self._decided:
            self._decided[key] = "declined" if word == "no" else "charged"
            if word != "no":
                self._history.append(ChargedEvent(self._agenda.now, request.bill, key))

    def _answer(self, key: str, mood: Mood) -> object:
        if mood.says == "broken":
            return ConnectionError("502")
        if mood.says == "busy":
            return Failed(Declined(final=False))
        if mood.says == "away":
            return NotSent("connection refused")
        return Charged() if self._decided[key] == "charged" else Failed(Declined(), final=True)

    def _look(self, process: Process, job: Job) -> None:
        """R29, at the very moment of the call; a backup may have taken the attempt back. A bill asks once."""
        call = job.call
        committed = max((row.attempts for row in self._views.effects_of(call.actor, call.key)), default=0)
        told = any(row.source == EFFECT for row in self._views.timeline(call.actor, call.key))
        if committed < call.attempt and not told and not self._history.restored:
            subject = f"{process.name}, {call.actor}/{call.key}"
            self._history.blame(_COMMITTED, subject, f"attempt {call.attempt} is called, {committed} are committed")
        self.look_at_hands(process)
        if call.attempt > 1:
            self._history.meet("an effect was asked again")

    def look_at_hands(self, process: Process) -> None:
        """R25: whatever ends the process now, nobody may be charged for it, in the shards that it has.

        What was in hand in one that it has lost is charged by whoever takes that, whatever becomes of this process.
        """
        shards = [] if process.engine is None else process.engine.holdings.shards()
        owned = {shard.name for shard in shards}
        for row in self._views.shards():
            if row.shard not in owned:
                continue
            for hand in row.hands:
                if hand.holder and hand.owner == row.owner == process.name:
                    self._history.blame(_ALONE, f"{process.name}, {row.shard}", f"{hand.source}, key {hand.key}")


class Line:
    """The way of one worker process to the provider: see `Bulkhead`."""

    def __init__(self, process: Process, provider: Provider) -> None:
        self.process = process
        self._provider = provider
        self._ended: list[Finished] = []
        self._falls = False
        self._tenures: dict[int, int] = {}

    def begin(self, job: Job) -> None:
        """See `Bulkhead`: the request is on its way, whatever becomes of who sent it."""
        for shard in self._homes(job):
            self._tenures[job.number] = shard.epoch
        self._provider.receive(self, job)

    def ring(self, job: Job, result: object) -> None:
        """An answer has come back, if anybody is left to hear it: who had the shard when it asked, and has it still.

        A later tenure does not know of the call, and asks again while attempts are left.
        """
        call, scene = job.call, self.process.scene
        if self.process.engine is None:
            return
        self._ended.append(Finished(job.number, result))
        self.process.poke()
        said = "charged" if isinstance(result, Charged) else ""
        for shard in self._homes(job):
            if shard.epoch == self._tenures.get(job.number):
                scene.history.append(
                    Heard(scene.clock(), call.key, call.idempotency_key, said, shard.name, shard.epoch)
                )  # fmt: skip

    def _homes(self, job: Job) -> list[Shard]:
        """The shard of the key that asks, if this worker has it."""
        engine, call = self.process.engine, job.call
        shards = [] if engine is None else engine.holdings.shards()
        return [shard for shard in shards if shard.plan.name == call.actor and shard.houses(call.key)]

    def fall(self) -> None:
        """A call ends the process, as soon as it gets to it."""
        self._falls = True
        self.process.poke()

    def finished(self) -> list[Finished]:
        """See `Bulkhead`. Raises `Crash`."""
        if self._falls:
            self._provider.look_at_hands(self.process)
            self.process.scene.history.meet("an effect ended its worker")
            raise Crash
        ended, self._ended = self._ended, []
        return ended

    def close(self) -> None:
        """See `Bulkhead`."""
