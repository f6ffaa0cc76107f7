"""What a seed makes of a run: sizes, settings, and which kinds of faults there are at all (swarm testing).

A run with every kind of fault hides what a run with two of them shows; so each seed leaves about half of them out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from magnetar.runtime.worker.batch import Limits
from magnetar.runtime.worker.bells import Ringing
from magnetar.runtime.worker.engine import Settings
from magnetar.runtime.worker.membership import Liveness
from magnetar.runtime.worker.ownership import Tenure
from magnetar.runtime.worker.relay import Pace
from magnetar.runtime.worker.timers import Clockwork
from magnetar.runtime.worker.winning import Winner

if TYPE_CHECKING:
    import random

    from magnetar.chaos.simulation.chance import Chance


FEW = 7
"""So many kinds of faults a run has at least."""


@dataclass(frozen=True, slots=True)
class Options:
    """Drawn from the seed. `duration`: seconds of virtual time with faults; `cost`: seconds that a step takes.

    `workers`: how many are wanted at once; `scheduler`: who of them is stepped next (see `scheduler`). `skew`: the
    store's clock minus the workers', in seconds. `leftovers`: whether frozen and cut-off workers stay so for good
    when the rest is healed. `kinds`: the faults of this run, `rate` times as many as usual.
    """

    workers: int
    scheduler: str
    partitions: int
    receiver_queue: int
    orders: int
    articles: int
    duration: float
    cost: float
    skew: float
    leftovers: bool
    rate: float
    kinds: frozenset[str]
    settings: Settings


def drawn(chance: Chance, kinds: tuple[str, ...]) -> Options:
    """The options of a seed, out of these kinds of faults."""
    draw = chance.stream("options")
    return Options(
        workers=draw.choice((1, 1, 1, 2, 3, 4)),
        scheduler=draw.choice(("fifo", "random", "pct")),
        partitions=draw.choice((1, 1, 1, 2, 3)),
        receiver_queue=draw.choice((3, 10, 200)),
        orders=draw.choice((3, 3, 3, 4)),
        articles=draw.randint(1, 3),
        duration=draw.uniform(1.0, 2.0),
        cost=draw.choice((0.00005, 0.0005, 0.003)),
        skew=draw.choice((0.0, 0.0, -2.5, 0.7)),
        leftovers=draw.random() < 0.5,  # noqa: PLR2004 - a coin
        rate=draw.choice((0.8, 1.0, 1.4)),
        kinds=_kinds(chance, kinds),
        settings=_with_failures(_settings(draw), chance.stream("failures")),
    )


def _kinds(chance: Chance, kinds: tuple[str, ...]) -> frozenset[str]:
    """Each with a coin of its own; a few at least."""
    coins = {kind: chance.stream("swarm", kind).random() for kind in kinds}
    few = sorted(coins, key=lambda kind: coins[kind])[:FEW]
    return frozenset((*few, *(kind for kind in kinds if coins[kind] < 0.45)))  # noqa: PLR2004


def _settings(draw: random.Random) -> Settings:
    """Small bounds, so that they are met; slow polls, so that nothing is stepped for nothing."""
    bound = draw.choice((1, 2, 10_000))
    return Settings(
        limits=Limits(
            group=draw.choice((1, 3, 16, 512)),
            tidy=0.2,
            idle=draw.choice((1.0, 600.0)),
            live=draw.choice((1, 100_000)),
        ),
        pace=Pace(
            window=draw.choice((1, 4, 1000)), poll=0.02, idle_close=draw.choice((0.5, 60.0)), reload=min(bound, 7)
        ),
        clockwork=Clockwork(window=draw.choice((2.0, 60.0)), poll=0.05),
        tenure=Tenure(
            check=0.4,
            storeless=draw.choice((0.5, 1.5)),
            disconnected=draw.choice((0.5, 1.5)),
            silent=draw.choice((0.7, 3.0)),
            notice=0.4,
            hold=draw.choice((0.3, 2.0)),
            drain=draw.choice((0.1, 2.0)),
            liveness=Liveness(live=draw.choice((0.6, 1.2)), substitute=draw.choice((0.5, 3.0))),
            winner=Winner(poll=0.01, lane=bound, timers=draw.choice((2.0, 60.0))),
        ),
    )


def _with_failures(settings: Settings, draw: random.Random) -> Settings:
    """What matters where handlers fail, from a stream of its own: no other draw shifts."""
    tail = draw.choice((1, 2, 100))
    ringing = Ringing(reopen=0.3, idle=draw.choice((0.3, 30.0)), batch=draw.choice((1, 100)))
    winner = replace(settings.tenure.winner, grace=draw.choice((0.0, 0.1, 1.0)))
    return replace(
        settings,
        limits=replace(settings.limits, tail=tail, few=draw.choice((1, 2, 8))),
        ringing=ringing,
        tenure=replace(settings.tenure, winner=winner),
    )
