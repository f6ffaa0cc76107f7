"""Which policies are looked at, where their values stand, and why they matter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from magnetar.runtime.operate.doctor import judging
from magnetar.runtime.operate.doctor.finding import Check, Severity

if TYPE_CHECKING:
    from magnetar.runtime.operate.doctor.judging import Judge

Settings: TypeAlias = Mapping[str, str]
_APPLY = "`magnetar topics apply MODULE:APP` sets it; the finding names the one REST call."


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One policy of a namespace.

    Args:
        check: its line in the catalogue.
        policy: its name in `wanted.policies`.
        own: the value on the namespace (or None), from all its policies.
        usual: the broker's value where the namespace has none, from the broker's settings.
        judge: the severity of a value, with the age of the oldest backup in seconds.
        on_topic: the name under which a topic may have a value of its own; '' where none can.
        remove: the last part of the address that takes it from a topic, where that is another one.
        queries: which parts of the policy a value has wrong, as queries of the address; those of provisioning if none.
        mended: the value to set, from the one that provisioning would set and the backup's age.
    """

    check: Check
    policy: str
    own: Callable[[Mapping[str, object]], object]
    usual: Callable[[Settings], object]
    judge: Judge
    on_topic: str = ""
    remove: str = ""
    queries: Callable[[object], tuple[str, ...]] = lambda _: ()
    mended: Callable[[object, float], object] = lambda value, _: value

    @property
    def delete_on_topic(self) -> str:
        """The address below a topic that takes the topic's own value away."""
        return self.remove or self.on_topic


def _flag(name: str) -> Callable[[Settings], object]:
    return lambda settings: None if name not in settings else settings[name] == "true"


def _number(name: str) -> Callable[[Settings], object]:
    return lambda settings: int(settings[name]) if settings.get(name, "").lstrip("-").isdigit() else None


def _field(*path: str) -> Callable[[Mapping[str, object]], object]:
    def read(policies: Mapping[str, object]) -> object:
        found: object = policies
        for name in path:
            found = judging.fields(found).get(name)
        return found

    return read


def _retention_of_broker(settings: Settings) -> object:
    minutes, megabytes = (
        _number(name)(settings) for name in ("defaultRetentionTimeInMinutes", "defaultRetentionSizeInMB")
    )
    return None if minutes is None else {"retentionTimeInMinutes": minutes, "retentionSizeInMB": megabytes}


def _quota_of_broker(settings: Settings) -> object:
    policy = settings.get("backlogQuotaDefaultRetentionPolicy")
    if policy is None:
        return None
    seconds = _number("backlogQuotaDefaultLimitSecond")(settings)
    return {"destination_storage": {"policy": policy, "limitSize": _quota_size(settings), "limitTime": seconds}}


def _quota_size(settings: Settings) -> object:
    """In bytes; of two settings the one in gigabytes wins, where it is set."""
    gigabytes = settings.get("backlogQuotaDefaultLimitGB", "")
    if gigabytes.replace(".", "", 1).isdigit() and float(gigabytes) > 0:
        return int(float(gigabytes) * 2**30)
    return _number("backlogQuotaDefaultLimitBytes")(settings)


def _compatibility_of(policies: Mapping[str, object]) -> object:
    value = policies.get("schema_compatibility_strategy")
    return None if value == "UNDEFINED" else value


def _validated_of(policies: Mapping[str, object]) -> object:
    """False leaves it to the broker."""
    return policies.get("schema_validation_enforced") or None


def _inactive_of_broker(settings: Settings) -> object:
    deletes = _flag("brokerDeleteInactiveTopicsEnabled")(settings)
    return None if deletes is None else {"deleteWhileInactive": deletes}


RULES = (
    Rule(
        check=Check(
            "deduplication",
            "the policy `deduplication`",
            "on",
            "a shard sends again what it has no receipt for, under the same number: the broker drops it",
            "R18",
            _APPLY,
        ),
        policy="deduplication",
        own=_field("deduplicationEnabled"),
        usual=_flag("brokerDeduplicationEnabled"),
        judge=judging.must_be(wanted=True, worst=Severity.DANGER),
        on_topic="deduplicationEnabled",
    ),
    Rule(
        check=Check(
            "retention",
            "the policy `retention`",
            "at least as long as the oldest backup that may be restored (`--backup-age`), of any size",
            "a store that was restored handles again what came after the backup, and reads it from the topics",
            "R11",
            f"{_APPLY} It holds for what is kept from now on: older messages that are gone stay gone.",
        ),
        policy="retention",
        own=_field("retention_policies"),
        usual=_retention_of_broker,
        judge=judging.retention,
        on_topic="retention",
        mended=judging.longer_retention,
    ),
    Rule(
        check=Check(
            "message-ttl",
            "the policy `messageTTL`",
            "0",
            "a message that gets too old would be acknowledged in its readers' name, and lost",
            "R10",
            _APPLY,
        ),
        policy="messageTTL",
        own=_field("message_ttl_in_seconds"),
        usual=_number("ttlDurationDefaultInSeconds"),
        judge=judging.must_be(0, Severity.DANGER),
        on_topic="messageTTL",
    ),
    Rule(
        check=Check(
            "backlog-quota",
            "the policy `backlogQuota`, and every other quota that is set",
            "no limit; never `consumer_backlog_eviction`",
            "eviction drops what nobody has read; any other limit stops the publishers, and with them the relay",
            "R10",
            _APPLY,
        ),
        policy="backlogQuota",
        own=lambda policies: policies.get("backlog_quota_map") or None,
        usual=_quota_of_broker,
        judge=judging.quota,
        queries=lambda value: tuple(f"?backlogQuotaType={kind}" for kind in judging.bad_quotas(value)),
        on_topic="backlogQuotaMap",
        remove="backlogQuota",
    ),
    Rule(
        check=Check(
            "subscription-expiration",
            "the policy `subscriptionExpirationTime`",
            "0",
            "a subscription that nobody used for a while would be removed, and what comes meanwhile is never seen",
            "R12",
            _APPLY,
        ),
        policy="subscriptionExpirationTime",
        own=_field("subscription_expiration_time_minutes"),
        usual=_number("subscriptionExpirationTimeMinutes"),
        judge=judging.must_be(0, Severity.DANGER),
    ),
    Rule(
        check=Check(
            "schema-compatibility",
            "the policy `schemaCompatibilityStrategy`",
            "`BACKWARD_TRANSITIVE`",
            "each reader reads whatever was ever written; less lets a schema in that old messages contradict, more "
            "refuses every new type of message",
            "R30",
            _APPLY,
        ),
        policy="schemaCompatibilityStrategy",
        own=_compatibility_of,
        usual=lambda settings: settings.get("schemaCompatibilityStrategy"),
        judge=judging.compatibility,
        on_topic="schemaCompatibilityStrategy",
    ),
    Rule(
        check=Check(
            "schema-validation",
            "the policy `schemaValidationEnforced`",
            "on",
            "anybody could publish bytes of no known schema, which can only become dead letters",
            "R30",
            _APPLY,
        ),
        policy="schemaValidationEnforced",
        own=_validated_of,
        usual=_flag("isSchemaValidationEnforced"),
        judge=judging.must_be(wanted=True, worst=Severity.DANGER),
    ),
    Rule(
        check=Check(
            "schema-updates",
            "the policy `isAllowAutoUpdateSchema`",
            "off",
            "a producer could bring a schema of its own, and with it a message that no worker takes yet",
            "R30",
            _APPLY,
        ),
        policy="isAllowAutoUpdateSchema",
        own=_field("is_allow_auto_update_schema"),
        usual=_flag("isAllowAutoUpdateSchemaEnabled"),
        judge=judging.must_be(wanted=False, worst=Severity.ADVICE),
    ),
    Rule(
        check=Check(
            "topic-creation",
            "the policy `autoTopicCreation`",
            "off",
            "a mistyped topic would be made, without partitions or readers, and what is sent there is never handled",
            "R31",
            _APPLY,
        ),
        policy="autoTopicCreation",
        own=_field("autoTopicCreationOverride", "allowAutoTopicCreation"),
        usual=_flag("allowAutoTopicCreation"),
        judge=judging.must_be(wanted=False, worst=Severity.ADVICE),
    ),
    Rule(
        check=Check(
            "subscription-creation",
            "the policy `autoSubscriptionCreation`",
            "off",
            "a subscription made by its first reader begins at the latest message and misses all earlier ones",
            "R12",
            _APPLY,
        ),
        policy="autoSubscriptionCreation",
        own=_field("autoSubscriptionCreationOverride", "allowAutoSubscriptionCreation"),
        usual=_flag("allowAutoSubscriptionCreation"),
        judge=judging.must_be(wanted=False, worst=Severity.ADVICE),
    ),
    Rule(
        check=Check(
            "inactive-topics",
            "the policy `inactiveTopicPolicies`, and `brokerDeleteInactiveTopicsEnabled`",
            "nothing is deleted",
            "a topic that is idle and has no subscription would be deleted with all its messages, dead letters first",
            "R4",
            _APPLY,
        ),
        policy="inactiveTopicPolicies",
        own=_field("inactive_topic_policies"),
        usual=_inactive_of_broker,
        judge=judging.not_deleted,
        on_topic="inactiveTopicPolicies",
    ),
)
"""What may lose messages first."""
