"""Randomness in named streams: what one component draws never shifts what another one draws."""

from __future__ import annotations

import random


class Chance:
    """Everything that a run leaves to chance, from one seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def stream(self, *name: str | int) -> random.Random:
        """A stream of its own; the same seed and name give the same draws, whatever else was drawn."""
        return random.Random("/".join(map(str, (self.seed, *name))))  # noqa: S311 - reproducible on purpose
