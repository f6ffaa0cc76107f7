"""Orders: what a customer asked for, from the first click to confirmed, cancelled or refused."""

from magnetar.actors.ordering.actor import make_orders
from magnetar.actors.ordering.table import ORDER_LIFECYCLE

__all__ = ["ORDER_LIFECYCLE", "make_orders"]
