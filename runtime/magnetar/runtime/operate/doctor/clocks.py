"""Whether this machine, the store and the brokers agree on the time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.runtime.operate.doctor.facts import ClusterFacts, StoreFacts
from magnetar.runtime.operate.doctor.finding import Check, Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from magnetar.runtime.operate.doctor.facts import Facts, Offset

ADVISED = 1.0
"""Seconds of difference above which it is told."""
MOST = 5.0
"""Seconds of difference above which it is a danger."""

CLOCKS = Check(
    "clocks",
    "the clocks of this machine, of the store, and of each broker",
    f"within {ADVISED:.0f} s of each other",
    "handlers see the store's clock, a due timer waits for what brokers and publishers say was published before it, "
    f"and workers judge each other by it: above {MOST:.0f} s a timer may overtake a message that was in time",
    "R26",
    "Let one time service (NTP) set the clocks of all machines.",
)
CHECKS = (CLOCKS,)


def clock_findings(facts: Facts) -> Iterator[Finding]:
    """Each clock beside this machine's, and each broker's beside the store's."""
    store = facts.store.clock if isinstance(facts.store, StoreFacts) else None
    if store is not None:
        yield difference("store", "this machine", store)
    for broker in facts.cluster.brokers if isinstance(facts.cluster, ClusterFacts) else ():
        yield difference(f"broker {broker.name}", "this machine", broker.clock)
        if store is not None:
            yield difference(f"broker {broker.name}", "the store", broker.clock.beside(store))


def difference(subject: str, other: str, offset: Offset) -> Finding:
    """How far two clocks are apart at least: an answer that took long excuses what it could have caused."""
    apart = offset.smallest
    severity = Severity.OK if apart <= ADVISED else Severity.ADVICE if apart <= MOST else Severity.DANGER
    way = "behind" if offset.most < 0 else "ahead of"
    found = f"at least {apart:.1f} s {way} {other}" if apart else f"no difference to {other} that could be measured"
    return CLOCKS.found(severity, subject, found, "set both clocks by one time service (NTP)")
