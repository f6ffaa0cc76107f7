"""The abort rule: a check that ends a workflow when the business comes to harm, or when nobody can tell.

A status check of Chaos Mesh looks at nothing but the status of an HTTP answer, and Prometheus answers 200 to whatever
it can evaluate. So it is asked something that it cannot when things are bad: a sum in which two series stand
where one may. It answers that with 422; a Prometheus that is away, or has not the rules, ends the workflow as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Mapping

    from magnetar.chaos.staging.aiming import Tree

GOOD = "magnetar_chaos_abort == 0"
"""The series is recorded by `deploy/chaos/abort.rules.yaml`: how many of its alerts fire."""
QUERY = (
    "vector(1) + on() ("
    f'label_replace(absent({GOOD}), "twice", "a", "job", ".*") or '
    f'label_replace(absent({GOOD}), "twice", "b", "job", ".*"))'
)
INTERVAL, FAILURES = 5, 2
"""Seconds from one look to the next, and how many in a row must be bad."""


def check(prometheus: str) -> Mapping[str, Tree]:
    """A status check that goes on until the deadline of whoever has it. `prometheus`: its URL."""
    return {
        "mode": "Continuous",
        "type": "HTTP",
        "intervalSeconds": INTERVAL,
        "timeoutSeconds": INTERVAL - 1,
        "failureThreshold": FAILURES,
        "http": {
            "url": f"{prometheus.rstrip('/')}/api/v1/query?query={quote(QUERY, safe='')}",
            "method": "GET",
            "criteria": {"statusCode": "200"},
        },
    }
