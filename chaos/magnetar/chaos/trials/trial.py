"""A story of a test, played again and again with other troubles, until one breaks it."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from magnetar.chaos.checkers.replay import replayed
from magnetar.chaos.history import History, Violation
from magnetar.chaos.trials.finding import Failure, NotSurvived, failed
from magnetar.chaos.trials.purity import Impure, Watched
from magnetar.chaos.trials.trouble import Extent, Trouble, Troubles, drawn
from magnetar.chaos.trials.world import Happening, TrialWorld
from magnetar.runtime import App, HandlerFailed, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from magnetar.runtime import Actor

    Act = Callable[[World], object]

_EVERYTHING = Troubles()
_PARTITIONS = 3
_ENDS = (KeyboardInterrupt, SystemExit, GeneratorExit)


def survives(
    app: App | Actor[Any],
    story: Act,
    *,
    check: Act | None = None,
    seeds: int | Iterable[int] = 200,
    troubles: Troubles = _EVERYTHING,
) -> None:
    """Play `story` on a `World` that goes wrong, once a seed; raise `NotSurvived` for the first seed that breaks it.

    `check` asserts what must hold at the end in every order of things; it runs when all that was late has come.
    Checked besides: no handler raises, each is pure and comes to the same when the journal is handled again, and
    all comes to rest. `seeds`: how many, or which ones; the same seed is the same run. The story is played without
    trouble first. One that breaks is told with the fewest troubles that break it in the same way.
    """
    __tracebackhide__ = True
    trial = Trial(app, story, check)
    plain = trial.play(())
    if plain.failure is not None:
        raise NotSurvived(trial.name, plain.failure, None, ()) from plain.failure.error
    for seed in range(seeds) if isinstance(seeds, int) else seeds:
        played = trial.seeded(seed, troubles, plain.extent)
        if played.failure is not None:
            raise NotSurvived(trial.name, played.failure, seed, played.told) from played.failure.error


class Played(NamedTuple):
    """What became of one playing. `told`: the troubles that took effect."""

    failure: Failure | None
    told: Sequence[Happening]
    extent: Extent


class Trial:
    """A story and its check, on the app that both are about."""

    def __init__(self, app: App | Actor[Any], story: Act, check: Act | None) -> None:
        """Raises `AppInvalid` as starting the app would."""
        self.name = _name(story)
        self._app = Watched(_narrow(app if isinstance(app, App) else App("world", app)))
        self._acts = [(self.name, story), ("", TrialWorld.finish), *([(_name(check), check)] if check else [])]

    def seeded(self, seed: int, troubles: Troubles, extent: Extent) -> Played:
        """Play it with the troubles of a seed; if it breaks, with as few of them as can be."""
        chosen = drawn(seed, troubles.kinds(), extent)
        played = self.play(chosen)
        return played if played.failure is None else self.shrunk(chosen, played)

    def play(self, troubles: Sequence[Trouble]) -> Played:
        """Play it once."""
        with TrialWorld(self._app, troubles) as world:
            failure = self._failure(world)
            return Played(failure, world.told, world.extent())

    def shrunk(self, troubles: Sequence[Trouble], played: Played) -> Played:
        """The same failure with as few troubles as can be: halves are left out, then quarters, down to single ones."""
        size = max(1, len(troubles) // 2)
        start = 0
        while start < len(troubles) or size > 1:
            if start >= len(troubles):
                size, start = size // 2, 0
            fewer = [*troubles[:start], *troubles[start + size :]]
            tried = self.play(fewer)
            if _same(tried, played):
                troubles, played, start = fewer, tried, 0
            else:
                start += size
        return played

    def _failure(self, world: TrialWorld) -> Failure | None:
        for name, act in self._acts:
            try:
                act(world)
            except _ENDS:
                raise
            except HandlerFailed as error:
                return _unhandled(error)
            except BaseException as error:  # noqa: BLE001 - pytest's own failures are no Exceptions
                return failed(name or self.name, error)
        return _broken(world)


def _same(one: Played, other: Played) -> bool:
    """Whether both broke, and in the same way."""
    return one.failure is not None and other.failure is not None and one.failure.kind == other.failure.kind


def _narrow(app: App) -> App:
    """The same app over few partitions: a worker starts, and starts again, in a fraction of the time."""
    actors = [copy(actor) for actor in app.actors]
    for actor in actors:
        actor.policy = replace(actor.policy, partitions=min(_PARTITIONS, actor.policy.partitions))
    return App(app.name, *actors, remotes=app.remotes)


def _unhandled(error: HandlerFailed) -> Failure:
    cause = error.__cause__ or error
    if isinstance(cause, Impure):
        return Failure("impure", f"actor {error.actor!r}: {cause}", cause)
    return failed(f"handling {error.type} for {error.key!r}", cause)


def _broken(world: TrialWorld) -> Failure | None:
    """The journal, handled again, must come to the same. That nothing is left to do, the world made sure of itself."""
    for found in replayed(History(lambda: 0), world.evidence()):
        if isinstance(found, Violation):  # a checker may also tell what it found good
            return Failure(found.promise, str(found))
    return None


def _name(act: Act) -> str:
    return getattr(act, "__name__", repr(act))
