"""What people asked was done once, in the commit that says so (R27)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from magnetar.chaos.history import Violation
from magnetar.runtime.identity import to_text
from magnetar.runtime.store.requests import RequestStatus

if TYPE_CHECKING:
    from magnetar.chaos.evidence import Evidence
    from magnetar.chaos.history import History
    from magnetar.chaos.verdict import Examination

_PROMISE = "what a person asks is done once, and answered in the commit that does it"


def answered_once(history: History, evidence: Evidence) -> Examination:
    """Each request is answered, by exactly one commit, of the shard that it was asked of."""
    answered = Counter((commit.shard, request) for commit in history.commits for request in commit.answered)
    for request in evidence.requests.values():
        subject = f"shard {request.shard}, request {to_text(request.id)} to {request.what} {request.key!r}"
        count = answered[request.shard, request.id]
        if request.status == RequestStatus.ASKED:
            yield Violation(_PROMISE, subject, "nobody has answered it")
        elif count != 1:
            yield Violation(_PROMISE, subject, f"it is {request.status}, and {count} commits have answered it")
        else:
            yield None
    for shard, request_id in answered:
        if request_id not in evidence.requests and not history.restored:
            yield Violation(_PROMISE, f"shard {shard}, request {to_text(request_id)}", "it was answered, never asked")
