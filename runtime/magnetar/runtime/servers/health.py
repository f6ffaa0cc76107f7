"""Whether a Pulsar answers: asked over its REST API, on an address of this machine, past any proxy."""

from __future__ import annotations

import http.client
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from magnetar.runtime.servers.ports import HOST

if TYPE_CHECKING:
    from collections.abc import Callable

_POLL_SECONDS = 0.03
_ANSWER_SECONDS = 10.0
_GLANCE_SECONDS = 3.0
_SAID_BYTES = 200
# In this order: the broker is up; a standalone's own namespace exists, half a second later; a message went round.
CHECKS = ("/admin/v2/brokers/ready", "/admin/v2/namespaces/public/default", "/admin/v2/brokers/health")


@dataclass(frozen=True, slots=True)
class Missing:
    """The first check that did not succeed, and what the server said."""

    path: str
    said: str

    def __str__(self) -> str:
        """For a message to a human."""
        return f"GET {self.path}: {self.said}"


def missing(port: int, path: str, within: float = _ANSWER_SECONDS, host: str = HOST) -> Missing | None:
    """None if a GET answers 200 within the given seconds; whatever else happens is the reason why not."""
    connection = http.client.HTTPConnection(host, port, timeout=max(0.1, min(within, _ANSWER_SECONDS)))
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        said = answer.read(_SAID_BYTES)
    except (OSError, http.client.HTTPException) as problem:
        return Missing(path, f"{type(problem).__name__}: {problem}")
    finally:
        connection.close()
    if answer.status == http.client.OK:
        return None
    return Missing(path, f"{answer.status} {said.decode(errors='replace')}")


def first_missing(port: int, host: str = HOST) -> Missing | None:
    """Every check once, for at most 3 s each; None if all succeed."""
    found = (missing(port, path, _GLANCE_SECONDS, host) for path in CHECKS)
    return next((lacking for lacking in found if lacking is not None), None)


def wait_until_ready(port: int, alive: Callable[[], bool], within: float, host: str = HOST) -> Missing | None:
    """Wait for each check in turn; None once all succeeded, else what was lacking when time or server ended."""
    deadline = time.monotonic() + within
    for path in CHECKS:
        while (found := missing(port, path, deadline - time.monotonic(), host)) is not None:
            if time.monotonic() >= deadline or not alive():
                return found
            time.sleep(_POLL_SECONDS)
    return None
