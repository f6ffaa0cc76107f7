"""What the healthy orders noticed, and whether the rest came to what it should. Pure."""

from __future__ import annotations

import statistics
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from magnetar.chaos.parking.plan import Lot
from magnetar.chaos.simulation.clerks import ATTEMPTS
from magnetar.runtime.instant import SECOND

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from magnetar.chaos.parking.plan import Letter, Sizes
    from magnetar.runtime.instant import Instant

MOST_RATIO = 1.10
"""p99 of healthy orders with failing ones beside them, over that without: the median of the windows' ratios."""
MOST_GROWTH = 1.15
"""The most memory that a worker came to in the last third of its lives, over that in the first."""


class Dead(NamedTuple):
    """A dead letter: of which desk, and of how many failures."""

    desk: str
    failures: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What was there at the end.

    `began`: when the first order was meant; `applied`: when each message was, by its id; `peaks`: the most memory of
    each worker's life in bytes, in the order of their ends; `wrong`: what the checkers found.
    """

    letters: Sequence[Letter]
    began: Instant
    applied: Mapping[str, Instant]
    dead: Sequence[Dead]
    peaks: Sequence[int]
    wrong: Sequence[str]


class Age(NamedTuple):
    """How long a message took from when it was meant to be published to when it was applied, in seconds."""

    window: int
    seconds: float


class Window(msgspec.Struct, frozen=True):
    """Healthy messages of a window: how many, and percentiles of their ages in seconds."""

    number: int
    fails: bool
    count: int
    p50: float
    p99: float


class Verdict(msgspec.Struct, frozen=True):
    """A line of the report: what was asked, what was seen, and whether that is as it should be."""

    asked: str
    seen: str
    kept: bool


def ages(seen: Seen) -> list[Age]:
    """Of each healthy message that was applied; one that was not is the checkers' matter."""
    return [
        Age(letter.window, (seen.applied[letter.message_id] - seen.began) / SECOND - letter.at)
        for letter in seen.letters
        if letter.lot is Lot.HEALTHY and letter.message_id in seen.applied
    ]


def windows(found: Iterable[Age], sizes: Sizes) -> list[Window]:
    """By window; one without messages is left out."""
    by_number: dict[int, list[float]] = {}
    for age in found:
        by_number.setdefault(age.window, []).append(age.seconds)
    return [
        Window(number, sizes.fails(number), len(some), percentile(some, 50), percentile(some, 99))
        for number, some in sorted(by_number.items())
    ]


def ratios(found: Sequence[Window]) -> list[float]:
    """Of each pair of a window without failures and the next with them: p99 with over p99 without."""
    return [failing.p99 / calm.p99 for calm, failing in zip(found[::2], found[1::2], strict=False)]


def percentile(values: Iterable[float], share: int) -> float:
    """Of any values, at least one."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * share // 100)]


def growth(peaks: Sequence[int]) -> float:
    """Of the most memory that each worker's life came to, in order: the last third's median over the first's."""
    third = max(1, len(peaks) // 3)
    return statistics.median(peaks[-third:]) / statistics.median(peaks[:third])


def verdicts(seen: Seen, found: Sequence[Window]) -> list[Verdict]:
    """Every line of the report."""
    pairs, grown = ratios(found), growth(seen.peaks)
    measured = statistics.median(pairs)
    return [
        Verdict("nothing lost, out of order or done twice", f"{len(seen.wrong)} violations", not seen.wrong),
        *_deaths(seen),
        Verdict(
            f"healthy orders do not notice: p99 with failures over without ≤ {MOST_RATIO:.2f}",
            f"{measured:.2f}, median of {len(pairs)} pairs from {min(pairs):.2f} to {max(pairs):.2f}",
            measured <= MOST_RATIO,
        ),
        Verdict(
            f"the workers' memory is flat: last third over first ≤ {MOST_GROWTH:.2f}",
            f"{grown:.2f}",
            grown <= MOST_GROWTH,
        ),
    ]


def _deaths(seen: Seen) -> list[Verdict]:
    """Poison dies once and of exactly its failures, and nothing else does."""
    poison = Counter(letter.note.desk for letter in seen.letters if letter.lot is Lot.POISON and letter.note.fails)
    dead = Counter(each.desk for each in seen.dead if each.desk in poison)
    failures = sorted({each.failures for each in seen.dead if each.desk in poison})
    others = len(seen.dead) - dead.total()
    return [
        Verdict(
            f"{poison.total()} poisoned orders die once, of {ATTEMPTS} failures",
            f"{dead.total()} dead letters, of {' or '.join(map(str, failures)) or 'no'} failures",
            dead == poison and failures == [ATTEMPTS] * bool(poison),
        ),
        Verdict("no other order dies", f"{others} dead letters more", not others),
    ]
