"""The commerce actors: order, stock and payment, and what they need."""

__all__: list[str] = []
