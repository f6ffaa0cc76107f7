"""How bad a policy's value is. Pure: a value as Pulsar's REST API shows it in, a severity out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias, cast

from magnetar.runtime.operate.doctor.finding import Severity

Judge: TypeAlias = Callable[[object, float], Severity]
"""A value, and the age of the oldest backup in seconds, to a severity."""


def must_be(wanted: object, worst: Severity) -> Judge:
    """Anything else is `worst`."""
    return lambda value, _: Severity.OK if value == wanted else worst


def retention(value: object, backup_age: float) -> Severity:
    """Kept by time for no less than the age of a backup; a limit of size may cut that short. 0 keeps nothing."""
    if not isinstance(value, Mapping):
        return Severity.DANGER
    limits = cast("Mapping[str, object]", value)
    minutes, megabytes = limits.get("retentionTimeInMinutes"), limits.get("retentionSizeInMB")
    if not isinstance(minutes, int) or not isinstance(megabytes, int) or megabytes == 0:
        return Severity.DANGER
    if minutes >= 0 and minutes * 60 < backup_age:
        return Severity.DANGER
    return Severity.ADVICE if megabytes > 0 else Severity.OK


def longer_retention(value: object, backup_age: float) -> object:
    """The retention to set: provisioning's own, or longer where a backup is older than that."""
    usual = cast("Mapping[str, int]", value)
    least = int(-(-backup_age // 60))
    return {**usual, "retentionTimeInMinutes": max(usual["retentionTimeInMinutes"], least)}


def quota(value: object, _: float = 0) -> Severity:
    """Every kind of quota must hold the publishers back, never drop what nobody has read."""
    return max((_one_quota(kind) for kind in fields(value).values()), key=lambda found: found.rank, default=Severity.OK)


def bad_quotas(value: object) -> tuple[str, ...]:
    """The kinds of quota that are not well."""
    return tuple(name for name, kind in fields(value).items() if _one_quota(kind) is not Severity.OK)


def fields(value: object) -> Mapping[str, object]:
    """A JSON object's fields; none of anything else."""
    return cast("Mapping[str, object]", value) if isinstance(value, Mapping) else {}


def _one_quota(value: object) -> Severity:
    limits = fields(value)
    if limits.get("policy") == "consumer_backlog_eviction":
        return Severity.DANGER
    size, age = limits.get("limitSize", limits.get("limit", -1)), limits.get("limitTime", -1)
    bounded = any(isinstance(limit, int) and limit >= 0 for limit in (size, age))
    return Severity.ADVICE if bounded else Severity.OK


def compatibility(value: object, _: float = 0) -> Severity:
    """What a topic's readers can read for ever; what is stricter refuses every new type of message."""
    if value == "BACKWARD_TRANSITIVE":
        return Severity.OK
    stricter = {"FULL_TRANSITIVE", "ALWAYS_INCOMPATIBLE"}
    return Severity.ADVICE if value in stricter else Severity.DANGER


def not_deleted(value: object, _: float = 0) -> Severity:
    """Topics stay, whether anybody is connected or not."""
    return Severity.OK if fields(value).get("deleteWhileInactive") is False else Severity.DANGER
