"""What a provider's adapter gives to the contract suite, and the suite's own verbs."""

from __future__ import annotations

import time
from itertools import count
from typing import TYPE_CHECKING, Protocol, TypeVar

from magnetar.actors.providing import Charge, Refund, Unsure
from magnetar.actors.providing.emulator.conduct import Conduct
from tests.unit.actors.goods import euros

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from magnetar.actors.providing import Provider, Receipt
    from magnetar.actors.providing.emulator.book import Entry
    from magnetar.actors.providing.emulator.conduct import Manner

T = TypeVar("T")
_NUMBERS = count(1)


class ProviderHarness(Protocol):
    """An adapter, and the provider behind it."""

    @property
    def provider(self) -> Provider:
        """The adapter under test."""
        ...

    def behave(self, conduct: Conduct) -> None:
        """How the provider behaves from now on."""
        ...

    def entries(self) -> Sequence[Entry]:
        """What the provider has done, in order; perhaps with that of earlier tests."""
        ...


class Counterpart:
    """The adapter under test, with an order of the test's own, and short names for what is asked."""

    def __init__(self, harness: ProviderHarness) -> None:
        self._harness, self.provider = harness, harness.provider
        self.order = f"o-{next(_NUMBERS)}"

    def key(self, name: str) -> str:
        """A key of this test's own."""
        return f"{self.order}/{name}"

    def behaves(self, *manners: Manner, seconds: float = 0.0) -> None:
        """How the next questions are treated."""
        self._harness.behave(Conduct(next=manners, seconds=seconds))

    def charge(self, name: str = "charge", cents: int = 900) -> Receipt:
        """Ask for this test's order to be charged."""
        return self.provider.charge(self.key(name), Charge(self.order, euros(cents)))

    def refund(self, reference: str, name: str = "refund", cents: int = 900) -> Receipt:
        """Ask for money to be given back."""
        return self.provider.refund(self.key(name), Refund(self.order, reference, euros(cents)))

    def done(self) -> list[tuple[str, str, int]]:
        """What the provider's log says of this order: what, under which name, how much."""
        mine = [entry for entry in self._harness.entries() if entry.key.startswith(f"{self.order}/")]
        return [(entry.what, entry.key.removeprefix(f"{self.order}/"), entry.amount) for entry in mine]


def at_last(ask: Callable[[], T], within: float = 20.0) -> T:
    """The first answer that is no doubt; `Unsure` when there is none in time."""
    until = time.monotonic() + within
    while True:
        try:
            return ask()
        except Unsure:
            if time.monotonic() > until:
                raise
