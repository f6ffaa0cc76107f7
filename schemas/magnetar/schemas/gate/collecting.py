"""Python's collector of cycles rests while the gate works.

A thousand parsed schemas are a million objects that are kept to the end, and each of the collector's rounds walks over
all of them to find nothing: a quarter of the gate's time.
"""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Generator[None]:
    """Inside, or in a function that it decorates, no garbage is looked for; afterwards as it was before.

    What was made meanwhile counts as old, or the next round would walk over it after all.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.freeze()
            gc.unfreeze()
            gc.enable()
