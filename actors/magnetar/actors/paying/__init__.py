"""Payments: what is due for an order, what was captured for it, and what goes back."""

from magnetar.actors.paying.actor import make_payments
from magnetar.actors.paying.table import PAYMENT_LIFECYCLE

__all__ = ["PAYMENT_LIFECYCLE", "make_payments"]
