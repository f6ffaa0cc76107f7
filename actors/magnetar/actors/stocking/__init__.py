"""Stock: the units of one SKU, on hand, put aside for orders, and sold."""

from magnetar.actors.stocking.actor import make_stock
from magnetar.actors.stocking.table import STOCK_LIFECYCLE

__all__ = ["STOCK_LIFECYCLE", "make_stock"]
