"""A shop whose payments ask a provider: charging an order, ending doubts, giving money back."""

from magnetar.actors.charging.actor import Charging
from magnetar.actors.charging.table import CHARGE_LIFECYCLE, REFUND_LIFECYCLE

__all__ = ["CHARGE_LIFECYCLE", "REFUND_LIFECYCLE", "Charging"]
