"""How far handling has come: written by the loop for each message, read by whoever watches it (R28)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Stint:
    """`count` messages were begun in all. `deadline`: seconds that the one in hand may take, by its actor's policy.

    None while no handler runs. Written by the loop's thread; each value may be read by any.
    """

    count: int = 0
    deadline: float | None = None
