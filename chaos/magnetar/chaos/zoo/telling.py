"""The command: hunt the bugs and print bug by checker."""

from __future__ import annotations

import argparse
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from multiprocessing import get_context
from typing import TYPE_CHECKING

from magnetar.chaos.zoo.bug import TargetGone
from magnetar.chaos.zoo.census import Census
from magnetar.chaos.zoo.hunting import Catch, all_bugs, hunt, isolated
from magnetar.runtime.compose.process import tune_collector

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from magnetar.chaos.zoo.bug import Bug


def hunted(bug: Bug) -> Catch:
    """How the hunt ended; one that cannot begin, for its target is gone, does not keep the others from theirs."""
    try:
        return isolated(hunt(bug))
    except TargetGone as error:
        return Catch(bug, None, 0, 0.0, Counter(), gone=str(error))


def _all_hunted(bugs: Sequence[Bug], jobs: int) -> Iterator[Catch]:
    with ProcessPoolExecutor(jobs, get_context("spawn"), tune_collector) if jobs > 1 else nullcontext() as pool:
        yield from map(hunted, bugs) if pool is None else pool.map(hunted, bugs)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 0 when all is as it must be: every bug caught, and every checker somewhere the only one to see it."""
    bugs = {bug.name: bug for bug in all_bugs()}
    parser = argparse.ArgumentParser(prog="python -m magnetar.chaos.zoo", description=main.__doc__)
    parser.add_argument("names", nargs="*", metavar="BUG", help=f"which bugs (default: all): {', '.join(bugs)}")
    parser.add_argument("--jobs", type=int, default=1, help="so many processes (default: 1)")
    chosen = parser.parse_args(arguments)
    names: list[str] = chosen.names
    unknown = [name for name in names if name not in bugs]
    if unknown:
        parser.error(f"no such bug: {', '.join(unknown)}")
    tune_collector()
    census = Census()
    print(census.head())  # noqa: T201 - it is what the command is for
    for catch in _all_hunted([bugs[name] for name in names] or [*bugs.values()], chosen.jobs):
        print(census.add(catch), flush=True)  # noqa: T201 - as above
    print(census.end(whole=not names))  # noqa: T201 - as above
    return int(bool(census.problems(whole=not names)))
