"""Ports on the loopback interface, or on another address of this machine."""

from __future__ import annotations

import secrets
import socket

from magnetar.runtime.servers.errors import PortTaken

HOST = "127.0.0.1"
# Below what systems hand out for outgoing connections (Linux from 32768, others from 49152): a port from there can be
# taken by any client while the server is down, even by our own client that connects to itself while it retries.
_LOWEST, _COUNT = 20_000, 12_000
_TRIES = 200


def is_free(port: int, host: str = HOST) -> bool:
    """Whether a server could listen on it now; ports that only wait for old connections to fade are free."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def require_free(port: int, purpose: str, host: str = HOST) -> int:
    """The port, or `PortTaken`."""
    if not is_free(port, host):
        raise PortTaken(port, purpose)
    return port


def any_free(purpose: str, *other_than: int, host: str = HOST) -> int:
    """A port that is free now, drawn at random so that two starts at once seldom draw the same."""
    drawn = (_LOWEST + secrets.randbelow(_COUNT) for _ in range(_TRIES))
    port = next((port for port in drawn if port not in other_than and is_free(port, host)), None)
    if port is None:
        raise PortTaken(_LOWEST, purpose)
    return port
