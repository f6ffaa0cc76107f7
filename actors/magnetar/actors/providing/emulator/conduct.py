"""How the provider behaves: as the next script says, else by chance, reproducibly."""

from __future__ import annotations

import random
import threading
from collections import Counter
from enum import StrEnum
from typing import Annotated, Final

import msgspec

_MOST: Final = 600.0


class Manner(StrEnum):
    """What becomes of one question."""

    OK = "ok"
    SLOW = "slow"  # waits, then does it and answers: it may be done after the asker has given up
    SILENT = "silent"  # does it, waits, and hangs up without an answer
    CUTS = "cuts"  # hangs up, and does nothing
    FAILS = "fails"  # answers 503, and does nothing
    LIES = "lies"  # does it, and answers 500
    BUSY = "busy"  # answers 429, and does nothing
    REFUSES = "refuses"  # declines a charge for good: no cover
    TWICE = "twice"  # does it, and answers twice
    GARBLES = "garbles"  # does it, and answers what is no answer


Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Conduct(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How to behave. `next`: the manners of the next questions; `keys`: of the questions of one key, in their order.

    Then by `rates`, drawn from `seed`, the key and how often the key has come: the same for the same, whatever else is
    asked meanwhile. What rates leave of 1 is `ok`. `seconds`: how long *slow* and *silent* wait.
    """

    next: tuple[Manner, ...] = ()
    keys: dict[str, tuple[Manner, ...]] = {}
    rates: dict[Manner, Share] = {}
    seed: int = 0
    seconds: Annotated[float, msgspec.Meta(ge=0, le=_MOST)] = 1.0

    def __post_init__(self) -> None:
        """Rates that are more than all there is are a slip."""
        if sum(self.rates.values()) > 1 + 1e-9:
            message = "the rates are more than 1 together"
            raise ValueError(message)


def drawn(conduct: Conduct, key: str, turn: int) -> Manner:
    """What chance says for the question that is the key's `turn`-th; pure."""
    draw = random.Random(f"{conduct.seed} {key} {turn}").random()  # noqa: S311 - no secret
    for manner, share in sorted(conduct.rates.items()):
        if draw < share:
            return manner
        draw -= share
    return Manner.OK


class Behaving:
    """The conduct that is in force, from any thread. What it counts is forgotten with the process."""

    def __init__(self, conduct: Conduct | None = None) -> None:
        """Well, unless told otherwise."""
        self._lock, self._turns = threading.Lock(), Counter[str]()
        self._conduct, self._used = conduct or Conduct(), 0

    @property
    def conduct(self) -> Conduct:
        """What was told, without what is used up of `next`."""
        with self._lock:
            return msgspec.structs.replace(self._conduct, next=self._conduct.next[self._used :])

    def become(self, conduct: Conduct) -> None:
        """Behave like this from now on; every key's questions are counted anew."""
        with self._lock:
            self._conduct, self._used = conduct, 0
            self._turns.clear()

    def manner(self, key: str) -> Manner:
        """How to treat the question that has come now."""
        with self._lock:
            turn = self._turns[key]
            self._turns[key] += 1
            if self._used < len(self._conduct.next):
                self._used += 1
                return self._conduct.next[self._used - 1]
            script = self._conduct.keys.get(key, ())
            return script[turn] if turn < len(script) else drawn(self._conduct, key, turn)
