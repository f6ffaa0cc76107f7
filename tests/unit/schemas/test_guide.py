"""The guide on contracts tells the truth: its Python runs, and the limits it names are the ones in the code."""

from __future__ import annotations

import re
import sys
import types
from pathlib import Path

from magnetar.schemas.codec import MOST_BYTES
from magnetar.schemas.inspection import MOST_DEPTH, MOST_VALUES

GUIDE = (Path(__file__).parents[3] / "docs" / "guide" / "contracts.md").read_text(encoding="utf-8")


def test_every_python_block_of_the_guide_runs() -> None:
    """From top to bottom, as one module."""
    blocks = re.findall(r"^```python\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)
    module = types.ModuleType("shop")
    sys.modules["shop"] = module
    try:
        exec(compile("\n".join(blocks), "contracts.md", "exec"), module.__dict__)
    finally:
        del sys.modules["shop"]
    assert len(blocks) >= 5


def test_the_limits_in_the_guide_are_those_in_the_code() -> None:
    """A changed limit changes the guide."""
    told = f"nested deeper than {MOST_DEPTH}, more than {MOST_VALUES:,} values, more than {MOST_BYTES >> 20} MiB"
    assert told in " ".join(GUIDE.split())
