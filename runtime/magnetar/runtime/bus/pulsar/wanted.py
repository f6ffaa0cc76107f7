"""What one application wants of the cluster: its namespace, with policies, topics, subscriptions and schemas."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedTopic:
    """One partitioned topic: its short name, its Avro schema (None: bytes), and who reads all of it from the start."""

    name: str
    partitions: int
    schema: str | None = None
    subscriptions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One application's namespace.

    Args:
        application: the namespace, within `tenant`.
        tenant: created when missing.
        topics: all of them.
        retention_minutes: how long acknowledged messages are kept: no less than the age of the oldest backup that
            may be restored (R11); -1 for ever.
        retention_megabytes: the same as a size for each topic partition; -1 without limit.
    """

    application: str
    tenant: str = "public"
    topics: tuple[WantedTopic, ...] = ()
    retention_minutes: int = 7 * 24 * 60
    retention_megabytes: int = -1

    @property
    def namespace(self) -> str:
        """`tenant/application`."""
        return f"{self.tenant}/{self.application}"

    def full(self, topic: str) -> str:
        """The full name of a topic."""
        return f"persistent://{self.namespace}/{topic}"


@dataclass(frozen=True, slots=True)
class Policy:
    """One setting of a namespace: what we want, how it is read (a path into the policies) and how it is set."""

    name: str
    value: object
    read: tuple[str, ...]
    method: str = "POST"
    query: str = ""


def policies(wanted: Wanted) -> tuple[Policy, ...]:
    """The policies of an application's namespace; each is set, so that no default of a broker matters."""
    retention = {
        "retentionTimeInMinutes": wanted.retention_minutes,
        "retentionSizeInMB": wanted.retention_megabytes,
    }
    hold = {"limitSize": -1, "limitTime": -1, "policy": "producer_request_hold"}
    inactive = {
        "inactiveTopicDeleteMode": "delete_when_no_subscriptions",
        "maxInactiveDurationSeconds": 60,
        "deleteWhileInactive": False,
    }
    quota = "?backlogQuotaType=destination_storage"
    strategy = "schemaCompatibilityStrategy"
    return (
        Policy("deduplication", value=True, read=("deduplicationEnabled",)),  # R18
        Policy(strategy, "BACKWARD_TRANSITIVE", ("schema_compatibility_strategy",), method="PUT"),
        Policy("schemaValidationEnforced", value=True, read=("schema_validation_enforced",)),
        # A worker never brings a schema of its own: a new message type is accepted before anybody sends it.
        Policy("isAllowAutoUpdateSchema", value=False, read=("is_allow_auto_update_schema",)),
        Policy("autoTopicCreation", {"allowAutoTopicCreation": False}, ("autoTopicCreationOverride",)),
        Policy(
            "autoSubscriptionCreation", {"allowAutoSubscriptionCreation": False}, ("autoSubscriptionCreationOverride",)
        ),
        # Nothing is deleted behind a reader's back: not by age, not by size, not because nobody is connected.
        Policy("backlogQuota", hold, ("backlog_quota_map", "destination_storage"), query=quota),
        Policy("retention", retention, ("retention_policies",)),
        Policy("messageTTL", 0, ("message_ttl_in_seconds",)),
        Policy("subscriptionExpirationTime", 0, ("subscription_expiration_time_minutes",)),
        Policy("inactiveTopicPolicies", inactive, ("inactive_topic_policies",)),
    )
