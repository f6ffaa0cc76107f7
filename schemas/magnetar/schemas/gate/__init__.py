"""The compatibility gate: what was released is frozen, and what would break a running system is refused before it runs.

Needs the package `avro` (extra `cli`); nothing else in Magnetar imports this package but the command line.
"""

from magnetar.schemas.errors import GateInvalid
from magnetar.schemas.gate.checking import check
from magnetar.schemas.gate.finding import WORKING, Finding
from magnetar.schemas.gate.registry import Registry, Release, Role, Version, load
from magnetar.schemas.gate.releasing import Plan, plan, publish
from magnetar.schemas.gate.settings import Mode, Settings, load_settings
from magnetar.schemas.gate.wording import RULES
from magnetar.schemas.gate.working import Contract, Working, working_of

__all__ = [
    "RULES",
    "WORKING",
    "Contract",
    "Finding",
    "GateInvalid",
    "Mode",
    "Plan",
    "Registry",
    "Release",
    "Role",
    "Settings",
    "Version",
    "Working",
    "check",
    "load",
    "load_settings",
    "plan",
    "publish",
    "working_of",
]
