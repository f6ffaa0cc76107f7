"""The rows of the report: what each promises, what was measured, and what that makes of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from magnetar.chaos.takeover import gaps as measuring
from magnetar.chaos.takeover.lateness import Late, parted
from magnetar.chaos.takeover.plan import row_of
from magnetar.runtime.instant import SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from magnetar.chaos.takeover.gaps import Gap
    from magnetar.chaos.takeover.moves import Moves
    from magnetar.chaos.takeover.starving import Hunger
    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.port import ShardName


class Colour(StrEnum):
    """What a row showed. Only `kept` is good; `unknown` and `not run` show nothing, and are never called good."""

    KEPT = "kept"
    BROKEN = "BROKEN"
    UNKNOWN = "unknown"
    NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class Promise:
    """A row before it is played. `within`: seconds, of each shard's gap, or of what of it is after the event's mark.

    `refuses`: the worker it is about must have had a commit refused. `once`: nothing may be delivered twice.
    `spare`: so many shards more than must may change hands; None if that is not looked at.
    """

    name: str
    title: str
    bound: str
    within: float
    refuses: bool = False
    once: bool = False
    spare: int | None = None
    cuts: bool = False


PROMISES = (
    Promise("kill", "SIGKILL one worker", "applied again ≤ 5 s", 5.0),
    Promise("freeze", "SIGSTOP one worker 30 s, SIGCONT", "≤ 10 s; its commits refused", 10.0, refuses=True),
    Promise("nobroker", "one worker cut from the broker", "≤ 15 s", 15.0, cuts=True),
    Promise("nostore", "one worker cut from PostgreSQL", "≤ 15 s", 15.0, cuts=True),
    Promise("database", "PostgreSQL SIGKILL and restart", "≤ 5 s after it is back", 5.0),
    Promise("all", "SIGKILL all workers, restart", "≤ 10 s after restart", 10.0),
    Promise("rolling", "rolling restart of all four", "gap ≤ 1 s, no duplicates", 1.0, once=True),
    Promise("scale", "4 → 8 → 3 workers", "gap ≤ 1 s, minimal movement", 1.0, spare=9),
)
"""In the order in which they are played. A join or leave may move one shard more than must (R14): 4 join, 5 leave."""
NAMES = tuple(promise.name for promise in PROMISES)


class Band(msgspec.Struct, frozen=True):
    """A stretch of an event, for the picture: what was so meanwhile."""

    begin: int
    end: int
    what: str


@dataclass(frozen=True, slots=True)
class Event:
    """A row as it was played, in instants of this machine's clock.

    `mark`: from when the bound counts; None: from the gap's begin. `refused`: commits of the worker that it is about;
    `duplicates`: messages delivered that were known already, of all workers. `fallen`: workers that ended without being
    told to. `failed`: what did not come about in time; `slow`: the same of what nobody has to wait for.
    """

    name: str
    begin: Instant
    end: Instant
    mark: Instant | None = None
    bands: tuple[Band, ...] = ()
    refused: int = 0
    duplicates: int = 0
    moves: Moves | None = None
    fallen: tuple[str, ...] = ()
    failed: str = ""
    slow: str = ""


@dataclass(frozen=True, slots=True)
class Gaps:
    """The gaps of all shards: `seen` on the topics, after the commit, and `handled` as the journal has it, before."""

    seen: Mapping[ShardName, Sequence[Gap]]
    handled: Mapping[ShardName, Sequence[Gap]]


@dataclass(frozen=True, slots=True)
class Machine:
    """What there was to work on during a row.

    `owed`: for how much of a gap, after an instant, the worker that its shard depended on was kept from running.
    `share`: the load's, of what all workers together can do.
    """

    hunger: Hunger | None
    owed: Callable[[Gap, Instant | None], Instant]
    share: float


@dataclass(slots=True)
class Wrongs:
    """What the checkers found against the orders of one row, by kind, with the first few in words."""

    counts: dict[str, int] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)

    MOST = 5

    def add(self, kind: str, words: str) -> None:
        """One more."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if len(self.words) < self.MOST:
            self.words.append(words)


class Row(msgspec.Struct, frozen=True):
    """A row of the report. Seconds; `gap`: the longest of any shard; `counted`: what of it the bound counts.

    `starved`: for how much of that its worker was ready to run and did not.

    `handled`: the longest by when messages were handled; so the longest between commits is no shorter, and none longer
    than `gap`.

    `wrong`: it is broken by more than its bound: something is wrong with an order, a worker fell, or shards stayed
    without an owner. `worst`: the longest gap of each of the shards that stood still longest, as instants, for whoever
    reads the logs.
    """

    name: str
    title: str
    bound: str
    colour: Colour
    reasons: tuple[str, ...]
    gap: float | None = None
    handled: float | None = None
    shard: str = ""
    counted: float | None = None
    starved: float | None = None
    duplicates: int = 0
    refused: int | None = None
    moved: int | None = None
    least: int | None = None
    lost: int = 0
    reordered: int = 0
    twice: int = 0
    forked: int = 0
    other: int = 0
    wrong: bool = False
    machine: str = ""
    begin: int = 0
    end: int = 0
    bands: tuple[Band, ...] = ()
    worst: tuple[Band, ...] = ()


MOST_WORST = 10
LOST, REORDERED, TWICE, FORKED, OTHER = "lost", "reordered", "twice", "forked", "other"
OVERDUE = "overdue"
"""Cancelled by its timer, as any order that waits too long: like a gap that is too long, this is slow and not wrong."""
KINDS = {
    "nothing acked is lost": LOST,
    "liveness": LOST,
    "every order ends": LOST,
    "no order is overdue": OVERDUE,
    "per-key order": REORDERED,
    "effects in order": REORDERED,
    "effects once": TWICE,
    "nothing from nowhere": TWICE,
    "no fork": FORKED,
}
"""What a checker's complaint is counted as; all else is `other`: replay, schema, acknowledgement, outbox."""


def not_run(promise: Promise, why: str) -> Row:
    """A row that could not be played here."""
    return Row(promise.name, promise.title, promise.bound, Colour.NOT_RUN, (why,))


def judged(
    promise: Promise,
    event: Event,
    found: Gaps,
    wrongs: Wrongs,
    machine: Machine,
) -> Row:
    """What a row that was played showed."""
    counted = _longest(event, found.seen, event.mark)
    late = [
        Late(gap.shard, gap.since(event.mark) / SECOND, machine.owed(gap, event.mark) / SECOND)
        for gap in _ended(event, found.seen)
        if gap.since(event.mark) > promise.within * SECOND
    ]
    beyond, excuses = parted(late, promise.within, machine.share)
    broken = [
        *beyond,
        *_broken(promise, event),
        *(f"{count} {kind}" for kind, count in wrongs.counts.items()),
        *wrongs.words,
    ]
    doubts = list(_doubts(promise, event, counted, machine.hunger))
    colour = _coloured(doubts=doubts, broken=broken, excuses=excuses)
    harm = wrongs.counts.keys() - {OVERDUE}
    if harm:
        colour = Colour.BROKEN  # what is wrong is wrong, however little time there was
    return Row(
        promise.name,
        promise.title,
        promise.bound,
        colour,
        (*doubts, *excuses, *broken),
        gap=_seconds(_longest(event, found.seen)),
        handled=_seconds(_longest(event, found.handled)),
        shard="" if counted is None else counted.shard,
        counted=None if counted is None else counted.since(event.mark) / SECOND,
        starved=None if counted is None else machine.owed(counted, event.mark) / SECOND,
        duplicates=event.duplicates,
        refused=event.refused if promise.refuses else None,
        moved=None if event.moves is None else event.moves.made,
        least=None if event.moves is None else event.moves.least,
        **{kind: wrongs.counts.get(kind, 0) for kind in (LOST, REORDERED, TWICE, FORKED, OTHER)},
        wrong=bool(harm) or (colour is Colour.BROKEN and bool(event.fallen or event.failed)),
        machine=str(machine.hunger or ""),
        begin=event.begin,
        end=event.end,
        bands=event.bands,
        worst=tuple(_worst(event, found.seen)),
    )


def _coloured(*, doubts: Sequence[str], broken: Sequence[str], excuses: Sequence[str]) -> Colour:
    """Excuses are for slowness alone: they make no row kept, and take nothing from what else is broken."""
    if doubts:
        return Colour.UNKNOWN
    if broken:
        return Colour.BROKEN
    return Colour.UNKNOWN if excuses else Colour.KEPT


def _ended(event: Event, found: Mapping[ShardName, Iterable[Gap]]) -> Iterable[Gap]:
    return (gap for some in found.values() for gap in some if event.begin <= gap.end <= event.end)


def _longest(event: Event, found: Mapping[ShardName, Iterable[Gap]], mark: Instant | None = None) -> Gap | None:
    return measuring.longest((gap for some in found.values() for gap in some), event.begin, event.end, mark)


def _seconds(gap: Gap | None) -> float | None:
    return None if gap is None else gap.since(None) / SECOND


def _worst(event: Event, found: Mapping[ShardName, Iterable[Gap]]) -> Iterable[Band]:
    by_shard = (measuring.longest(some, event.begin, event.end, event.mark) for some in found.values())
    counted = sorted((gap for gap in by_shard if gap is not None), key=lambda gap: -gap.since(event.mark))
    return (Band(gap.begin, gap.end, gap.shard) for gap in counted[:MOST_WORST])


def _broken(promise: Promise, event: Event) -> Iterable[str]:
    yield from event.fallen
    yield from filter(None, (event.failed, event.slow))
    if promise.once and event.duplicates:
        yield f"{event.duplicates} delivered twice"
    if promise.spare is not None and event.moves is not None and event.moves.made > event.moves.least + promise.spare:
        yield f"{event.moves.made} shards moved, {event.moves.least} had to"


def _doubts(promise: Promise, event: Event, counted: Gap | None, hunger: Hunger | None) -> Iterable[str]:
    if counted is None:
        yield "nothing was applied meanwhile"
    if hunger is None:
        yield "nobody watched the machine"
    elif hunger.is_starving:
        yield f"the machine had no time: {hunger}"
    if promise.refuses and not event.refused:
        yield "no commit of the thawed worker was refused: it was frozen with nothing in hand"


def shared_out(complaints: Iterable[tuple[str, str]], rows: Sequence[str] = NAMES) -> dict[str | None, Wrongs]:
    """Complaints (checker, in words) by the row whose orders they name; None: by no row's."""
    found: dict[str | None, Wrongs] = {}
    for checker, words in complaints:
        wrongs = found.setdefault(row_of(words, rows), Wrongs())
        wrongs.add(KINDS.get(checker, OTHER), f"{checker}: {words}")
    return found
