"""When a member is started again: at once after a long life, later and later while it ends as soon as it is started."""

from __future__ import annotations

from dataclasses import dataclass, replace

FIRST_SECONDS = 0.2
LONGEST_SECONDS = 5.0
STEADY_SECONDS = 20.0
"""A member that has run for this long is not failing any more: its next end counts as the first."""
HUNG_SECONDS = 2.0
"""A bookie that had its place in ZooKeeper and has lost it for this long has given up without ending."""
LATE_SECONDS = 60.0
"""So has one that has not got a place after this long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """What is known of one member; instants are seconds of one steady clock.

    `wanted`: it shall run. `asked`: somebody asked for its next start. `since`: when it was last started, None while
    it is down. `ends`: how often in a row it ended soon after a start. `due`: when it may be started next. `restarts`:
    starts that nobody asked for. `placed`: it was seen in its place in this run. `missing`: since when it is not.
    """

    wanted: bool = False
    asked: bool = False
    since: float | None = None
    ends: int = 0
    due: float = 0.0
    restarts: int = 0
    placed: bool = False
    missing: float | None = None


def wanted(life: Life, now: float) -> Life:
    """Somebody wants it to run: it may be started at once, whatever it did before."""
    return replace(life, wanted=True, asked=True, ends=0, due=now)


def unwanted(life: Life) -> Life:
    """Somebody wants it down: it stays down, however it ends."""
    return replace(life, wanted=False)


def down(life: Life) -> Life:
    """It was ended on purpose: nothing is held against it."""
    return replace(life, since=None, placed=False, missing=None)


def started(life: Life, now: float) -> Life:
    """It runs; a start that nobody asked for is a restart."""
    restarts = life.restarts + (0 if life.asked else 1)
    return replace(life, since=now, restarts=restarts, asked=False, placed=False, missing=None)


def adopted(life: Life, now: float) -> Life:
    """It runs already, started by somebody before us."""
    return replace(life, since=now, asked=False)


def ended(life: Life, now: float) -> Life:
    """It ended by itself, or could not even be started (`since` is None)."""
    lasted = 0.0 if life.since is None else now - life.since
    ends = 1 if lasted >= STEADY_SECONDS else life.ends + 1
    return replace(down(life), asked=False, ends=ends, due=now + pause(ends))


def pause(ends: int) -> float:
    """Seconds before the next start: doubled with each quick end, from 0.2 to 5."""
    return min(FIRST_SECONDS * 2.0 ** min(ends - 1, 10), LONGEST_SECONDS)


def is_due(life: Life, now: float) -> bool:
    """Whether it shall be started now."""
    return life.wanted and life.since is None and now >= life.due


def seen(life: Life, now: float, *, placed: bool) -> Life:
    """It runs, and ZooKeeper says whether it has its place."""
    if placed:
        return replace(life, placed=True, missing=None)
    return replace(life, missing=now if life.missing is None else life.missing)


def is_hung(life: Life, now: float) -> bool:
    """Whether it runs and does nothing any more."""
    limit = HUNG_SECONDS if life.placed else LATE_SECONDS
    return life.missing is not None and now - life.missing >= limit
