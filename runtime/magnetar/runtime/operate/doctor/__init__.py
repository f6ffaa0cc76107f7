"""Whether a running system has what Magnetar's promises need: facts in, findings out. Only `gathering` asks anybody."""

from magnetar.runtime.operate.doctor.examination import CATALOGUE, examine
from magnetar.runtime.operate.doctor.finding import Check, Finding, Severity

__all__ = ["CATALOGUE", "Check", "Finding", "Severity", "examine"]
