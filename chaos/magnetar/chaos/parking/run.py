"""One run, from an empty folder to its report."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from magnetar.chaos.checkers import CHECKERS
from magnetar.chaos.cluster.crew import Crew, command, until
from magnetar.chaos.parking import judging
from magnetar.chaos.parking.desks import DESKS, TARGET
from magnetar.chaos.parking.ground import Ground
from magnetar.chaos.parking.judging import Dead, Seen, Verdict, Window
from magnetar.chaos.parking.plan import letters
from magnetar.chaos.parking.sending import Customers, Stalled
from magnetar.chaos.simulation.failing import Failing
from magnetar.chaos.takeover.netting import Loopback
from magnetar.chaos.takeover.promises import EFFECTS_IN_ORDER
from magnetar.chaos.takeover.reading import gather, history_of
from magnetar.runtime.identity import id_of
from magnetar.runtime.store.port import Disposition

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.chaos.evidence import Evidence
    from magnetar.chaos.parking.plan import Letter, Sizes

WORKERS = (1, 2)
WANTED = (*CHECKERS, EFFECTS_IN_ORDER, *Failing().checkers)
_MOST_WORDS = 10
_REST_SECONDS = 120.0
_KILOBYTE = 1024


class Report(msgspec.Struct, frozen=True):
    """What a run showed. `peaks`: the most memory of each worker's life in bytes, in the order of their ends."""

    seed: int
    orders: int
    messages: int
    kills: int
    took: float
    windows: list[Window]
    peaks: list[int]
    verdicts: list[Verdict]
    wrong: Sequence[str]

    @property
    def status(self) -> int:
        """0: all is kept. 1: something is wrong with an order. 5: only a figure is missed."""
        return 1 if self.wrong else 0 if all(verdict.kept for verdict in self.verdicts) else 5


def run(sizes: Sizes, seed: int, folder: Path, tell: Callable[[str], None]) -> Report:
    """Play it. Raises what servers, bus and store raise, `CrewFailed` and `Stalled`."""
    began, planned = time.monotonic(), letters(sizes, seed)
    with ExitStack() as opened:
        tell("starting Pulsar and PostgreSQL")
        ground = opened.enter_context(Ground(DESKS, folder))
        network = Loopback("nothing is cut here")
        crew = Crew(network, command(sys.executable, TARGET, ground), folder)
        opened.callback(crew.dismiss)
        tell(f"starting {len(WORKERS)} workers")
        crew.start(*WORKERS)
        customers = Customers(ground, planned)
        opened.callback(customers.stop)
        customers.start()
        peaks = [_window(sizes, number, crew, customers, tell) for number in range(sizes.windows)]
        tell("coming to rest")
        _come_to_rest(ground, crew, customers)
        peaks += [_peak(worker.process.pid) for worker in crew.workers.values()]
        crew.stop(*crew.workers)
        tell("reading topics and store")
        evidence = gather(ground)
    tell("looking for what is lost, out of order or done twice")
    seen = _seen(planned, customers, peaks, evidence)
    found = judging.windows(judging.ages(seen), sizes)
    return Report(
        seed=seed,
        orders=sizes.orders,
        messages=sum(map(len, evidence.timelines.values())),
        kills=sizes.windows,
        took=time.monotonic() - began,
        windows=found,
        peaks=peaks,
        verdicts=judging.verdicts(seen, found),
        wrong=seen.wrong[:_MOST_WORDS],
    )


def _window(sizes: Sizes, number: int, crew: Crew, customers: Customers, tell: Callable[[str], None]) -> int:
    """Kill a worker in its middle, start another in its place, and wait for its end; returns the victim's memory."""
    tell(f"window {number + 1} of {sizes.windows}, {'with' if sizes.fails(number) else 'without'} failures")
    customers.wait_until((number + 0.5) * sizes.seconds)
    victim = WORKERS[number // 2 % len(WORKERS)]
    peak = _peak(crew.workers[victim].process.pid)
    crew.kill(victim)
    crew.start(victim)
    customers.wait_until((number + 1) * sizes.seconds)
    return peak


def _peak(pid: int) -> int:
    """The most memory that the process has had in use, in bytes."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * _KILOBYTE for line in lines if line.startswith("VmHWM"))


def _come_to_rest(ground: Ground, crew: Crew, customers: Customers) -> None:
    customers.join()
    with closing(ground.store.views()) as views:
        sent = {id_of(each.message_id) for each in customers.published}

        def rests() -> bool:
            waits = any(load.unsent or load.parked for load in views.loads().values())
            return not waits and all(views.entry("desks", message_id) is not None for message_id in list(sent)[-1000:])

        if not until(rests, _REST_SECONDS):
            message = f"not at rest {_REST_SECONDS:.0f} s after the last order; see the logs of the workers"
            raise Stalled(message)
    crew.look()


def _seen(planned: Sequence[Letter], customers: Customers, peaks: list[int], evidence: Evidence) -> Seen:
    applied = {
        row.message_id: row.now
        for row in evidence.journal.values()
        if row.actor == "desks" and row.disposition == Disposition.APPLIED.value
    }
    ids = {letter.message_id: id_of(letter.message_id) for letter in planned}
    history = history_of(customers.published)
    wrong = [
        f"{checker.name}: {violation}"
        for checker in WANTED
        for violation in checker.examine(history, evidence)
        if violation is not None
    ]
    return Seen(
        letters=planned,
        began=customers.began,
        applied={text: applied[message_id] for text, message_id in ids.items() if message_id in applied},
        dead=[Dead(letter.key, letter.failures) for letter in evidence.unapplied.dead],
        peaks=peaks,
        wrong=wrong,
    )
