"""`python -m magnetar.chaos.playing.inside OUT DATA SEED SCENARIO…`: goes where no harm can be done, and plays there.

The first process there is the janitor, so nothing is left behind however this one ends. A line of stdout is the id of a
record that is written.
"""

from __future__ import annotations

import signal
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeAlias

from magnetar.chaos.cluster import enclosure, janitor
from magnetar.chaos.playing.session import session
from magnetar.chaos.playing.telling import Teller
from magnetar.chaos.scenarios.reading import chosen
from magnetar.runtime.errors import MagnetarError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from magnetar.chaos.playing.stage import Tell
    from magnetar.chaos.record.shape import Record

MODULE = "magnetar.chaos.playing.inside"
UNABLE, INTERRUPTED = 3, 130


Plays: TypeAlias = "Callable[[Sequence[str], int, Path, Path, Tell], Iterator[Record]]"
"""Plays what goes by these names on one cluster: names, seed, where records go, where data is, and who is told."""


def by_name(names: Sequence[str], seed: int, out: Path, data: Path, tell: Tell) -> Iterator[Record]:
    """Scenarios by their ids and paths."""
    return session(chosen(names), seed, out, data, tell)


def main(arguments: Sequence[str], plays: Plays = by_name) -> int:
    """0: played, perhaps not all. 3: there was no cluster. 130: stopped."""
    out, data, seed, *names = arguments
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the first process of a namespace has no default one
    teller = Teller(Path(data) / "clients.log")
    try:
        for record in plays(names, int(seed), Path(out), Path(data), teller):
            teller.show(record, Path(out))
            sys.stdout.write(f"{record.id}\n")
            sys.stdout.flush()
    except KeyboardInterrupt:
        teller("stopped: what was in force is healed, and everything is ended")
        return INTERRUPTED
    except MagnetarError as problem:
        teller(f"error: {problem}")
        return UNABLE
    except Exception:  # noqa: BLE001 - told with its place, since all else that could tell it goes with this process
        teller(traceback.format_exc())
        return UNABLE
    return 0


def enter(module: str, plays: Plays) -> NoReturn:
    """What a module does that is run so: it goes inside first."""
    if not enclosure.is_inside():
        enclosure.enter(module, sys.argv[1:], janitor.command(Path(sys.argv[2])))
    sys.exit(main(sys.argv[1:], plays))


if __name__ == "__main__":
    enter(MODULE, by_name)
