"""What the scripts of the matrix have happen at fixed times: to the workers, the broker, the store, by a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from magnetar.chaos.simulation.weather import HAPPENED, LOST

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.chaos.simulation.nemesis import Nemesis
    from magnetar.chaos.simulation.process import Process
    from magnetar.runtime.store.requests import What

KEY = "o-1"
"""What the scripts are about."""


class Cue(NamedTuple):
    """Something that the script has happen at an instant (seconds into the run)."""

    at: float
    act: Callable[[Nemesis], None]


def _working(nemesis: Nemesis) -> Process | None:
    return next((each for each in nemesis.fleet.wanted if each.engine is not None and not each.frozen), None)


def drain(nemesis: Nemesis) -> None:
    """The worker is told to leave, and another one starts a little later."""
    process = _working(nemesis)
    if process is not None:
        nemesis.fleet.dismiss(process)
        nemesis.fleet.replace(process, 0.05)


def take_over(nemesis: Nemesis) -> None:
    """The worker is gone, with messages that never reached the broker."""
    process = _working(nemesis)
    if process is not None:
        nemesis.fleet.replace(process, 0.0)
        nemesis.fleet.kill(process)
    if "stock" in nemesis.scene.wiring.topics:
        nemesis.faults.release_sends("stock", 0)


def hold_sends(nemesis: Nemesis) -> None:
    """What is sent to the topic of stock is on its way."""
    nemesis.faults.hold_sends("stock", 0)


def one_too_many(nemesis: Nemesis) -> None:
    """Another worker starts, and the broker does not answer it."""
    nemesis.faults.hold_openings()
    nemesis.fleet.launch()


def not_needed(nemesis: Nemesis) -> None:
    """The one that started last is told to leave before it has anything."""
    fleet = nemesis.fleet
    process = fleet.wanted[-1]
    if len(fleet.wanted) > 1:
        fleet.wanted.remove(process)
        fleet.dismiss(process)


def answer(nemesis: Nemesis) -> None:
    """The broker answers whoever opens something again."""
    nemesis.faults.release_openings()


def back_up(nemesis: Nemesis) -> None:
    """Somebody makes a backup of the store."""
    nemesis.scene.weather.back_up()


def restore(nemesis: Nemesis) -> None:
    """Every worker is killed, a backup is put in place of the store, and a worker starts."""
    process = _working(nemesis)
    if process is not None:
        nemesis.fleet.replace(process, 0.0)
    for each in list(nemesis.fleet.alive):
        nemesis.fleet.kill(each)
    nemesis.scene.weather.restore()


def cut_off(nemesis: Nemesis) -> None:
    """The worker loses the broker."""
    process = _working(nemesis)
    if process is not None:
        process.bus.cut()


def let_through(nemesis: Nemesis) -> None:
    """Whoever lost the broker may reach it."""
    for process in nemesis.fleet.alive:
        if process.bus.offline:
            process.bus.heal()


def lose_a_commit(nemesis: Nemesis) -> None:
    """The next commit does not happen, and nobody hears of that."""
    nemesis.scene.weather.fates.append(LOST)


def lose_an_answer(nemesis: Nemesis) -> None:
    """The next commit happens, and nobody hears of that."""
    nemesis.scene.weather.fates.append(HAPPENED)


def asks(what: What) -> Callable[[Nemesis], None]:
    """A person asks something about the desk."""
    return lambda nemesis: nemesis.operator.ask_about(what, KEY)
