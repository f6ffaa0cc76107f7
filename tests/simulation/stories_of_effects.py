"""Smallest stories of what was asked of the outside: charged once, told once, and told the truth.

`GOOD` is what a checker must pass, `BAD` what it must fail and the promise it must name then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.chaos.history import Charged as ChargedEvent
from magnetar.chaos.history import Heard
from magnetar.chaos.simulation.cashiers import Bill, Charged, ChargeUnknown, Declined
from tests.simulation.remains import NOW, name

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.schemas import Outcome
    from tests.simulation.remains import Remains

    Story = Callable[[Remains], None]

UNKNOWN = ChargeUnknown(idempotency_key=name(1), attempts=3, sent=True, error="")


def bill(run: Remains, outcome: Outcome | None, *told: str) -> None:
    """A bill has asked under the first key, and was told this."""
    run.owns("bills/0")
    state = Bill(keys=(name(1),), told=told)
    run.keeps("bills", state)
    if outcome is not None:
        run.tells("bills", outcome, 1, state)


def charge(run: Remains, number: int = 1) -> None:
    """By the provider's log it was charged under this key."""
    run.history.append(ChargedEvent(NOW, "o-1", name(number)))


def hear(run: Remains) -> None:
    """A success has come to who has the shard."""
    run.history.append(Heard(NOW, "o-1", name(1), "charged", "bills/0", 1))


def charged_once(run: Remains) -> None:
    """As it should be."""
    charge(run)
    bill(run, Charged(), "charged")
    hear(run)


def charged_twice(run: Remains) -> None:
    """Under two keys."""
    charged_once(run)
    charge(run, 2)


def charged_under_another_key(run: Remains) -> None:
    """One that its message never was given."""
    charge(run, 2)
    bill(run, Charged(), "charged")


def told_late(run: Remains) -> None:
    """First nobody knew, then an answer came."""
    charge(run)
    bill(run, UNKNOWN, "unknown", "charged")
    hear(run)


def told_nothing(run: Remains) -> None:
    """It was charged, and nobody was told."""
    charge(run)
    bill(run, None)


def told_a_lie(run: Remains) -> None:
    """It was charged, and told that it was declined."""
    charge(run)
    bill(run, Declined(), "declined")


def told_of_a_charge_that_never_was(run: Remains) -> None:
    """Goods for nothing."""
    bill(run, Charged(), "charged")


def told_twice(run: Remains) -> None:
    """One outcome, and once more."""
    charge(run)
    bill(run, Charged(), "charged", "charged")


def ignored(run: Remains) -> None:
    """A success came, when it had been told that nobody knows."""
    charge(run)
    bill(run, UNKNOWN, "unknown")
    hear(run)


GOOD: dict[str, Story] = {"charging charges": charged_once, "charging outcomes": told_late}

_ONE, _TRUE = "each bill is charged once", "what is told is the truth"
BAD: dict[Story, tuple[str, str]] = {
    charged_twice: ("charging charges", _ONE),
    charged_under_another_key: ("charging charges", _ONE),
    told_nothing: ("charging outcomes", "each effect has one outcome"),
    told_a_lie: ("charging outcomes", _TRUE),
    told_of_a_charge_that_never_was: ("charging outcomes", _TRUE),
    told_twice: ("charging outcomes", _TRUE),
    ignored: ("charging outcomes", _TRUE),
}
