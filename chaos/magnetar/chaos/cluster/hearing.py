"""Who hears whom: a datagram from one node to another, sent and awaited from in between."""

from __future__ import annotations

import secrets
import socket
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from magnetar.chaos.cluster.profile import CONTROL

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import TracebackType
    from typing import Self

    from magnetar.chaos.cluster.profile import Node
    from magnetar.chaos.cluster.switch import Link, Switch

_PORT = 4
_WAIT_SECONDS = 0.3
_LONGEST = 64


class Hearing:
    """An ear and a mouth in every node's network, held by this process: no cut keeps us from asking. One thread."""

    def __init__(self, switch: Switch, nodes: Sequence[Node]) -> None:
        """Opened on entering."""
        self._switch = switch
        self._nodes = nodes
        self._ends: dict[Node, socket.socket] = {}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as opened:
            self._ends[CONTROL] = opened.enter_context(_end(CONTROL))
            for node in self._nodes:
                with self._switch.inside(node):
                    self._ends[node] = opened.enter_context(_end(node))
            self._open = opened.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def heard(self, links: Iterable[Link], within: float = _WAIT_SECONDS) -> frozenset[Link]:
        """Of these links those on which a datagram came through, all sent at once, within so many seconds."""
        sent = {secrets.token_bytes(16): link for link in links}
        for token, (sender, receiver) in sent.items():
            self._ends[sender].sendto(token, (receiver.address, _PORT))
        deadline = time.monotonic() + within
        found: set[Link] = set()
        for receiver in {link[1] for link in sent.values()}:
            awaited = {token for token, link in sent.items() if link[1] == receiver}
            found |= {sent[token] for token in _received(self._ends[receiver], awaited, deadline)}
        return frozenset(found)


def _end(node: Node) -> socket.socket:
    end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    end.bind((node.address, _PORT))
    return end


def _received(end: socket.socket, awaited: set[bytes], deadline: float) -> set[bytes]:
    """Of the tokens those that have come; what came late of an earlier question is passed over."""
    found: set[bytes] = set()
    while found != awaited:
        end.settimeout(max(0.001, deadline - time.monotonic()))
        try:
            token = end.recv(_LONGEST)
        except TimeoutError:
            return found
        if token in awaited:
            found.add(token)
    return found
