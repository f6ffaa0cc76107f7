"""One run, from an empty folder to its report."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

import msgspec

from magnetar.chaos.cluster.crew import Crew, command
from magnetar.chaos.parking.ground import Ground
from magnetar.chaos.parking.judging import Verdict
from magnetar.chaos.parking.sending import Customers, Stalled
from magnetar.chaos.paying import judging
from magnetar.chaos.paying.calling import Callbacks
from magnetar.chaos.paying.judging import Ending
from magnetar.chaos.paying.outsider import Outsider
from magnetar.chaos.paying.plan import Victim, blows, letters
from magnetar.chaos.paying.reading import rest, seen_in
from magnetar.chaos.paying.shop import SHOP, TARGET
from magnetar.chaos.takeover.netting import Loopback
from magnetar.chaos.takeover.reading import gather, history_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from magnetar.chaos.paying.judging import Seen
    from magnetar.chaos.paying.plan import Blow, Sizes

WORKERS = (1, 2)
_CALLS = "magnetar_effect_calls_total"
_MOST_WORDS = 10
_REST_SECONDS = 120.0


class Report(msgspec.Struct, frozen=True):
    """What a run showed. `calls`: of the provider, as far as workers lived to tell. `wrong`: the first, in words."""

    seed: int
    orders: int
    calls: int
    provider_kills: int
    worker_kills: int
    doubts: int
    callbacks: int
    took: float
    endings: list[Ending]
    verdicts: list[Verdict]
    wrong: Sequence[str]

    @property
    def status(self) -> int:
        """0: all is kept. 1: something is wrong with an order or its money. 5: only not everything was tried."""
        *promised, tried = (verdict.kept for verdict in self.verdicts)
        return 1 if not all(promised) else 0 if tried else 5


def run(sizes: Sizes, seed: int, folder: Path, tell: Callable[[str], None]) -> Report:
    """Play it. Raises what servers, bus, store and provider raise, `CrewFailed` and `Stalled`."""
    began, planned = time.monotonic(), letters(sizes, seed)
    with ExitStack() as opened:
        tell("starting Pulsar, PostgreSQL and the provider")
        ground = opened.enter_context(Ground(SHOP, folder))
        outsider = opened.enter_context(Outsider(folder / "provider.log", seed))
        crew = Crew(Loopback("nothing is cut here"), _command(ground, outsider), folder)
        opened.callback(crew.dismiss)
        tell(f"starting {len(WORKERS)} workers")
        crew.start(*WORKERS)
        customers = Customers(ground, planned)
        opened.callback(customers.stop)
        calling = Callbacks(ground, outsider.log, seed)
        opened.callback(calling.stop)
        customers.start()
        calling.start()
        worker_kills = _strike(blows(sizes, seed), crew, outsider, customers, tell)
        tell("coming to rest")
        customers.join()
        customers.check()
        _await_rest(ground, sizes)
        calling.finish()
        calling.check()
        _await_rest(ground, sizes)
        crew.look()
        crew.stop(*crew.workers)
        tell("reading topics, store and the provider's log")
        evidence = gather(ground)
    tell("looking for what is lost, out of order, done twice or paid wrongly")
    kills = (outsider.kills, worker_kills)
    history = history_of([*customers.published, *calling.published])
    seen = seen_in(evidence, history, outsider.entries(), kills)
    return _report(sizes, seed, seen, crew.total(_CALLS), time.monotonic() - began)


def _command(ground: Ground, outsider: Outsider) -> tuple[str, ...]:
    """A worker that knows where the provider is."""
    return (
        "env",
        f"MAGNETAR_PROVIDER_URL={outsider.url}",
        *command(sys.executable, TARGET, ground),
    )


def _report(sizes: Sizes, seed: int, seen: Seen, calls: int, took: float) -> Report:
    wrong = [*seen.wrong[:_MOST_WORDS]]
    for words in judging.found(seen):
        wrong += words[:_MOST_WORDS]
    return Report(
        seed=seed,
        orders=sizes.orders,
        calls=calls,
        provider_kills=seen.kills[0],
        worker_kills=seen.kills[1],
        doubts=seen.doubts,
        callbacks=seen.callbacks,
        took=took,
        endings=judging.endings(seen),
        verdicts=judging.verdicts(seen),
        wrong=wrong,
    )


def _strike(
    planned: Sequence[Blow], crew: Crew, outsider: Outsider, customers: Customers, tell: Callable[[str], None]
) -> int:
    """Each blow at its time, or when the one before is over; returns how many workers were killed."""
    kills = 0
    for blow in planned:
        customers.wait_until(blow.at)
        tell(f"{blow.at:5.1f} s of orders: killing {'the provider' if blow.victim is Victim.PROVIDER else 'a worker'}")
        crew.look()
        if blow.victim is Victim.PROVIDER:
            outsider.kill(blow.away)
        else:
            victim = WORKERS[kills % len(WORKERS)]
            crew.kill(victim)
            crew.start(victim)
            kills += 1
    return kills


def _await_rest(ground: Ground, sizes: Sizes) -> None:
    if not rest(ground, sizes.orders, _REST_SECONDS):
        message = f"not at rest {_REST_SECONDS:.0f} s after the last message; see the logs of the workers"
        raise Stalled(message)
