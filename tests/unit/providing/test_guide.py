"""The guide on the provider tells the truth."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from magnetar.actors.providing.emulator.conduct import Manner
from magnetar.actors.providing.settings import ProviderSettings
from tests.acceptance.pages import files_of, page, suite, written

if TYPE_CHECKING:
    from pathlib import Path

GUIDE = page("docs/guide/payment-provider.md")


def test_the_example_of_the_guide_passes(tmp_path: Path) -> None:
    """A reader who types it sees green."""
    done = suite(written(tmp_path, files_of(GUIDE)))
    assert "1 passed" in done.stdout, done.stdout


def test_every_setting_and_manner_is_explained() -> None:
    """Each has its row."""
    rows = set(re.findall(r"^\| `([A-Za-z_]+)` \|", GUIDE, re.MULTILINE))
    wanted = {f"MAGNETAR_PROVIDER_{name.upper()}" for name in ProviderSettings.model_fields} | set(Manner)
    assert wanted - rows == set()
