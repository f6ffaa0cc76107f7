"""On how many disks a message is when its publisher hears that it is safe."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

from magnetar.runtime.operate.doctor.finding import Check, Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from magnetar.runtime.operate.doctor.facts import ClusterFacts, Facts

QUORUM = Check(
    "quorum",
    "write and ack quorum: the policy `persistence`, else the broker's `managedLedgerDefault…`",
    "each message on 2 disks or more before its receipt",
    "a receipt means that so many bookies have the message on the disk: with one, that disk's loss loses messages "
    "whose publishers were told that they are safe",
    "R19",
    "Run three bookies or more, set the policy `persistence`, and unload the namespace: open ledgers keep the old one.",
)
SPARE = Check(
    "quorum-spare",
    "the number of bookies against the ensemble",
    "at least one bookie more than the ensemble",
    "a ledger needs its whole ensemble to be opened: without a spare bookie, the loss of one stops all writing",
    "R19",
    "Add a bookie, or make the ensemble smaller (three bookies: ensemble 2, quorums 2).",
)
CHECKS = (QUORUM, SPARE)
_LEAST = 2
_DEFAULTS = ("managedLedgerDefaultEnsembleSize", "managedLedgerDefaultWriteQuorum", "managedLedgerDefaultAckQuorum")
_POLICY = ("bookkeeperEnsemble", "bookkeeperWriteQuorum", "bookkeeperAckQuorum")


class Quorum(NamedTuple):
    """How a ledger is spread: over so many bookies, each message on `write` of them, safe when `ack` have it."""

    ensemble: int
    write: int
    ack: int

    def __str__(self) -> str:
        """As in a finding."""
        return f"ensemble {self.ensemble}, write quorum {self.write}, ack quorum {self.ack}"


def quorum_findings(facts: Facts, cluster: ClusterFacts) -> Iterator[Finding]:
    """For the namespace, or for each broker's default where it has none; and for each topic with one of its own."""
    namespace = facts.wanted.namespace
    for subject, where, quorum in _quorums(facts, cluster):
        set_it = f"POST /admin/v2/{where}/persistence {_body(cluster.bookies)}"
        yield _quorum(subject, quorum, cluster.bookies, set_it, f"PUT /admin/v2/namespaces/{namespace}/unload")
        yield _spare(subject, quorum, cluster.bookies)


def _quorums(facts: Facts, cluster: ClusterFacts) -> Iterator[tuple[str, str, Quorum | None]]:
    namespace = facts.wanted.namespace
    where = f"namespaces/{namespace}"
    own = of_policy((cluster.actual.policies or {}).get("persistence"))
    if own is not None:
        yield f"namespace {namespace}", where, own
    else:
        for broker in cluster.brokers:
            yield f"broker {broker.name}", where, of_settings(broker.settings)
    for topic, overrides in cluster.overrides.items():
        if (set_there := of_policy(overrides.get("persistence"))) is not None:
            yield f"topic {topic}", f"persistent/{namespace}/{topic}", set_there


def of_policy(value: object) -> Quorum | None:
    """From the policy `persistence`; None where it is not set (a 0 stands for that too)."""
    found = cast("dict[str, object]", value) if isinstance(value, dict) else {}
    numbers = [number for name in _POLICY if isinstance(number := found.get(name), int) and number > 0]
    return Quorum(*numbers) if len(numbers) == len(_POLICY) else None


def of_settings(settings: Mapping[str, str]) -> Quorum | None:
    """From a broker's settings; None where it does not tell them."""
    numbers = [int(text) for name in _DEFAULTS if (text := settings.get(name, "")).isdigit()]
    return Quorum(*numbers) if len(numbers) == len(_DEFAULTS) else None


def _quorum(subject: str, quorum: Quorum | None, bookies: int, *change: str) -> Finding:
    if quorum is None:
        return QUORUM.advice(subject, "it does not tell its quorum", *change)
    if bookies < _LEAST:
        found = f"{quorum}, on a single bookie: one disk has every message, and its loss is theirs"
        return QUORUM.danger(subject, found, "add bookies: three or more in all", *change)
    safe = min(quorum.write, quorum.ack) >= _LEAST
    return QUORUM.found(Severity.OK if safe else Severity.DANGER, subject, f"{quorum}, on {bookies} bookies", *change)


def _spare(subject: str, quorum: Quorum | None, bookies: int) -> Finding:
    ensemble = 1 if quorum is None else quorum.ensemble
    found = f"{bookies} bookies for an ensemble of {ensemble}" if bookies != 1 else "a single bookie"
    severity = Severity.OK if bookies > ensemble else Severity.ADVICE
    return SPARE.found(severity, subject, found, "add a bookie")


def _body(bookies: int) -> str:
    ensemble = 3 if bookies > 3 else 2  # noqa: PLR2004 - with exactly three, an ensemble of three has no spare
    return (
        f'{{"bookkeeperEnsemble":{ensemble},"bookkeeperWriteQuorum":{ensemble},"bookkeeperAckQuorum":2,'
        '"managedLedgerMaxMarkDeleteRate":1.0}'
    )
