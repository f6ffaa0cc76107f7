"""A shop with a provider in this process, and what a world needs to ask it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from magnetar.actors import ShopSettings, make_shop
from magnetar.actors.charging import Charging
from magnetar.actors.charging.calls import Calls
from magnetar.actors.providing.emulator.double import DoubleProvider
from magnetar.runtime import Dependency
from magnetar.schemas.commerce import CancelCharge, ChargeOrder, LookUpCharge, RefundCapture

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from magnetar.actors import Shop
    from magnetar.actors.providing import Provider
    from magnetar.runtime import Call, Effect

LIMITS = Dependency("provider", attempts=3, tiers=(1.0, 5.0), rate=1_000.0, burst=1_000)


def charging_shop(settings: ShopSettings | None = None) -> Shop:
    """A shop whose effects are given by the world: the function of its own asks a provider that nobody looks at."""
    unused = DoubleProvider()
    return make_shop(settings or ShopSettings(partitions=2), Charging(lambda: unused, LIMITS))


def asks(provider: Provider) -> Mapping[type[Effect], Callable[[Any, Call], Any]]:
    """The effects of a payment, on this provider."""
    calls = Calls(lambda: provider)
    return {
        ChargeOrder: calls.charge,
        LookUpCharge: lambda request, _: calls.look_up(request),
        CancelCharge: lambda request, _: calls.cancel(request),
        RefundCapture: calls.refund,
    }
