"""Each broker's version and settings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from magnetar.runtime.operate.doctor.finding import Check, Finding, Severity
from magnetar.runtime.worker.posting import MESSAGE_LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from magnetar.runtime.operate.doctor.facts import BrokerFacts, ClusterFacts

    Judge = Callable[[str], Severity]

ANSWERS = Check(
    "broker-answers",
    "the REST API of every broker",
    "each broker tells its settings",
    "a broker that was not asked may be the one with the wrong settings, and any broker may own any topic",
    "R12",
    "Give the address of the REST API with `--admin`; run the doctor where every broker can be reached.",
)
VERSION = Check(
    "broker-version",
    "each broker's version",
    "4.0.7 or newer (of the 4.1 line: 4.1.1)",
    "older brokers have known defects in handing a subscription to another consumer",
    "R12",
    "Update the brokers, one by one.",
)
OLDEST = ((4, 0, 7), (4, 1, 1))
"""The oldest good release, and that of the line 4.1."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A broker's setting that matters: its check, its name, and the value to set."""

    check: Check
    name: str
    value: str
    judge: Judge


def at_most(advised: int, most: int | None = None, least: int = 0) -> Judge:
    """Up to `advised` is well, up to `most` is advised against, more (or below `least`) is a danger."""

    def judge(text: str) -> Severity:
        number = _number(text)
        if number is None:
            return Severity.ADVICE
        if number < least or (most is not None and number > most):
            return Severity.DANGER
        return Severity.OK if number <= advised else Severity.ADVICE

    return judge


def at_least(least: int, worst: Severity) -> Judge:
    """Less is `worst`."""

    def judge(text: str) -> Severity:
        number = _number(text)
        if number is None:
            return Severity.ADVICE
        return Severity.OK if number >= least else worst

    return judge


def between(least: int, most: int) -> Judge:
    """Less and more are advised against."""

    def judge(text: str) -> Severity:
        number = _number(text)
        return Severity.OK if number is not None and least <= number <= most else Severity.ADVICE

    return judge


def rather(wanted: str) -> Judge:
    """Anything else is advised against."""
    return lambda text: Severity.OK if text == wanted else Severity.ADVICE


def never(text: str) -> Severity:
    """Anything but false is a danger."""
    return Severity.OK if text == "false" else Severity.DANGER


SETTINGS = (
    Setting(
        Check(
            "broker-liveness",
            "`connectionLivenessCheckTimeoutMillis`",
            "1 to 2000",
            "so long a broker waits for a frozen worker before it gives its shard to another one; above 4 s the "
            "client's own time-out comes first and the takeover takes longer than promised",
            "R14",
            "Set it in `broker.conf` and restart the brokers one by one.",
        ),
        "connectionLivenessCheckTimeoutMillis",
        "2000",
        at_most(2000, 4000, least=1),
    ),
    Setting(
        Check(
            "broker-new-entries",
            "`managedLedgerNewEntriesCheckDelayInMillis`",
            "0 or 1",
            "a waiting consumer hears of a message so much later: with the usual 10 ms each hop takes 10 ms, "
            "with 1 ms it takes 2",
            "R21",
            "Set it in `broker.conf` and restart the brokers one by one.",
        ),
        "managedLedgerNewEntriesCheckDelayInMillis",
        "1",
        at_most(1),
    ),
    Setting(
        Check(
            "broker-session",
            "`metadataStoreSessionTimeoutMillis`",
            "at most 10000",
            "the topics of a broker that died or froze move to another one only when its session has ended",
            "R32",
            "Set it in `broker.conf` and restart the brokers one by one.",
        ),
        "metadataStoreSessionTimeoutMillis",
        "10000",
        at_most(10_000),
    ),
    Setting(
        Check(
            "broker-session-lost",
            "`zookeeperSessionExpiredPolicy`",
            "shutdown",
            "a broker that makes a lost session anew may do so for ever and answer nobody meanwhile "
            "(apache/pulsar#23015); one that ends is started again by whatever runs it",
            "R32",
            "Set it in `broker.conf`, let something start brokers that end, and restart them one by one.",
        ),
        "zookeeperSessionExpiredPolicy",
        "shutdown",
        rather("shutdown"),
    ),
    Setting(
        Check(
            "broker-bookie-patience",
            "`bookkeeperClientTimeoutInSeconds`",
            "at most 10",
            "a bookie that a broker does not reach is replaced in a ledger only after so long, and nothing is written "
            "to that ledger until then",
            "R32",
            "Set it in `broker.conf` and restart the brokers one by one.",
        ),
        "bookkeeperClientTimeoutInSeconds",
        "5",
        at_most(10),
    ),
    Setting(
        Check(
            "broker-write-patience",
            "`managedLedgerAddEntryTimeoutSeconds`",
            "1 to 30",
            "a write that is on its way to a bookie when that is replaced may never be answered "
            "(apache/bookkeeper#4261): its topic takes nothing more until it is unloaded, unless the broker gives up "
            "such a ledger for a new one",
            "R32",
            "Set it in `broker.conf` and restart the brokers one by one.",
        ),
        "managedLedgerAddEntryTimeoutSeconds",
        "10",
        between(1, 30),
    ),
    Setting(
        Check(
            "broker-skips-data",
            "`autoSkipNonRecoverableData`",
            "false",
            "a broker that cannot read a ledger would jump over its messages without a word",
            "R10",
            "Switch it off; what cannot be read must stop the topic and wake somebody.",
        ),
        "autoSkipNonRecoverableData",
        "false",
        never,
    ),
    Setting(
        Check(
            "broker-forces-recovery",
            "`managedLedgerForceRecovery`",
            "false",
            "a broker that cannot recover a ledger would open the topic without the messages at its end",
            "R10",
            "Set it in `broker.conf` and restart the brokers one by one.",
        ),
        "managedLedgerForceRecovery",
        "false",
        never,
    ),
    Setting(
        Check(
            "broker-forgets-producers",
            "`brokerDeduplicationProducerInactivityTimeoutMinutes`",
            "10080 (a week) or more",
            "after so long without a message the broker forgets a producer's numbers, and what a shard sends again "
            "after a longer stop is stored twice (our actors drop it, foreign readers must do so themselves)",
            "R18",
            "Set it in `broker.conf` and restart the brokers one by one.",
        ),
        "brokerDeduplicationProducerInactivityTimeoutMinutes",
        "10080",
        at_least(10_080, Severity.ADVICE),
    ),
    Setting(
        Check(
            "broker-message-size",
            "`maxMessageSize`",
            f"{5 << 20} or more",
            f"a handler may send messages of up to {MESSAGE_LIMIT} bytes, checked before the commit; one that the "
            "broker refuses afterwards blocks its lane",
            "R9",
            "Set it in `broker.conf` (and `nettyMaxFrameSizeBytes` of the bookies above it), and restart.",
        ),
        "maxMessageSize",
        str(5 << 20),
        at_least(5 << 20, Severity.DANGER),
    ),
)

CHECKS = (ANSWERS, VERSION, *(setting.check for setting in SETTINGS))


def broker_findings(cluster: ClusterFacts) -> Iterator[Finding]:
    """What is found of every broker."""
    for name, silence in cluster.unanswered.items():
        change = "look at this broker; if it is well, run the doctor where its address can be reached"
        yield ANSWERS.advice(f"broker {name}", f"was not asked: {silence.reason}", change)
    for broker in cluster.brokers:
        yield _version(broker)
        for setting in SETTINGS:
            yield _setting(setting, broker, cluster.changeable)


def parsed(version: str) -> tuple[int, int, int] | None:
    """`4.0.8-SNAPSHOT` as numbers; None for what is no version."""
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", version)
    return None if found is None else (int(found[1]), int(found[2]), int(found[3]))


def setting_change(name: str, value: str, changeable: frozenset[str]) -> str:
    """How to set a broker's setting."""
    if name in changeable:
        return f"POST /admin/v2/brokers/configuration/{name}/{value}"
    return f"{name}={value} in broker.conf, then restart the brokers one by one"


def _version(broker: BrokerFacts) -> Finding:
    numbers = parsed(broker.version)
    if numbers is None:
        return VERSION.advice(_name(broker), broker.version, "compare it yourself: this is no version that is known")
    oldest = next((good for good in OLDEST if good[:2] == numbers[:2]), OLDEST[0])
    severity = Severity.OK if numbers >= oldest else Severity.DANGER
    return VERSION.found(severity, _name(broker), broker.version, f"update it to {'.'.join(map(str, oldest))} or newer")


def _setting(setting: Setting, broker: BrokerFacts, changeable: frozenset[str]) -> Finding:
    have = broker.settings.get(setting.name)
    change = setting_change(setting.name, setting.value, changeable)
    if have is None:
        return setting.check.advice(_name(broker), f"it does not tell {setting.name}", change)
    return setting.check.found(setting.judge(have), _name(broker), f"{setting.name}={have}", change)


def _name(broker: BrokerFacts) -> str:
    return f"broker {broker.name}"


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"-?\d{1,18}", text) else None
