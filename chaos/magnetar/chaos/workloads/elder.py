"""The app as it was a release ago: whoever has not been updated sends so, under the schema of that release."""

from __future__ import annotations

from typing import Final

from magnetar.chaos.paying.impatient import PARTITIONS
from magnetar.chaos.simulation.clerks import Desk, Ear, Echo, hear
from magnetar.chaos.workloads.market import MARKET, RETRY
from magnetar.runtime import Actor, App, Command, Context, Key, Policy, replace


class Note1(Command):
    """A note as it was before it could fail, ring or end its worker."""

    __contract__ = "Note"
    desk: Key
    word: str
    echoes: bool = False


def _noted(desk: Desk, message: Note1, context: Context) -> Desk:
    if message.echoes:
        context.publish(Echo(desk=context.key, word=message.word))
    return replace(desk, words=(*desk.words, message.word))


def _elder() -> App:
    desks = Actor("desks", Desk, publishes=[Echo], policy=Policy(partitions=PARTITIONS, retry=RETRY))
    ears = Actor("ears", Ear, policy=Policy(partitions=PARTITIONS))
    desks.handles(_noted)
    ears.handles(hear)
    return App(MARKET.name, desks, ears)


ELDER: Final = _elder()
"""Desks and ears alone: nothing else has changed since."""
