"""The app as an old deployment has it: the same contracts, and settings that have been changed since."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from magnetar.chaos.workloads.market import RETRY, market

STALE: Final = market(replace(RETRY, attempts=2, jitter=0.0), patience=0.5)
"""It gives up sooner what fails, and does not wait as long for the provider."""
