"""A node's port that lets only so much through, both ways, and how much it does let through."""

from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from magnetar.chaos.cluster.running import run
from magnetar.chaos.cluster.switch import DEVICE, port

if TYPE_CHECKING:
    from magnetar.chaos.cluster.estate import Estate
    from magnetar.chaos.cluster.profile import Node
    from magnetar.chaos.cluster.switch import Switch

_BURST_KILOBITS = 64
_LEAST_KILOBITS = 512
_WITHIN_SECONDS = 20.0
_PART = 16 * 1024


def narrow(estate: Estate, node: Node, kilobits: int) -> None:
    """So many kilobits a second, into it and out of it; what waits for longer than 0.4 s is dropped.

    Raises `ForeignTarget`, and `CommandFailed`, also if it is narrow already.
    """
    for namespace, device in _ends(estate, node):
        run("tc", "-n", namespace, "qdisc", "add", "dev", device, "root", *_queue(kilobits))


def widen(estate: Estate, node: Node) -> None:
    """Undo it. Raises `CommandFailed`."""
    for namespace, device in _ends(estate, node):
        run("tc", "-n", namespace, "qdisc", "del", "dev", device, "root")


def _ends(estate: Estate, node: Node) -> tuple[tuple[str, str], ...]:
    """Namespace and device of the switch's port, for what goes in, and of the node's own end, for what comes out."""
    own = estate.namespace(estate.require(node))
    return (estate.switch, port(node)), (own, DEVICE)


def _queue(kilobits: int) -> tuple[str, ...]:
    return ("tbf", "rate", f"{kilobits}kbit", "burst", f"{_BURST_KILOBITS}kbit", "latency", "400ms")


def flow(switch: Switch, node: Node, kilobits: int) -> tuple[float, float]:
    """Kilobits a second that come through now, from us to it and back, whoever else sends meanwhile.

    Measured with half a second's worth at the rate of `kilobits`, beyond what goes at once. Raises `OSError`.
    """
    size = (_BURST_KILOBITS + max(_LEAST_KILOBITS, kilobits) // 2) * 1000 // 8
    with switch.inside(node):
        listener = socket.create_server((node.address, 0))
    with listener, socket.create_connection(listener.getsockname(), _WITHIN_SECONDS) as ours:
        theirs, _ = listener.accept()
        with theirs:
            theirs.settimeout(_WITHIN_SECONDS)
            return _speed(ours, theirs, size), _speed(theirs, ours, size)


def _speed(sender: socket.socket, receiver: socket.socket, size: int) -> float:
    """In kilobits a second; the part that goes at once does not count."""
    began = time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(sender.sendall, bytes(size))
        left = size
        while left:
            left -= len(receiver.recv(min(left, _PART))) or left
        sending.result()
    return max(0.0, size * 8 / 1000 - _BURST_KILOBITS) / (time.monotonic() - began)
