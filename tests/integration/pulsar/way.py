"""A way between client and broker that can forget its connections, as a firewall does: nobody is told.

Nothing comes through a forgotten connection any more, in either direction, and it stays open on both sides. New ones
are let through.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from threading import Lock, Thread


class Way:
    """Forwards TCP connections from a port of its own to `port`, both on this machine."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._port = 0
        self._lock = Lock()
        self._open: list[socket.socket] = []
        self._forgotten: set[socket.socket] = set()
        Thread(target=self._accept, name="way", daemon=True).start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._listening.getsockname()[1])

    def lead_to(self, port: int) -> None:
        """Say where connections go from now on."""
        self._port = port

    def forget(self) -> None:
        """Let nothing more through the connections that there are."""
        with self._lock:
            self._forgotten.update(self._open)

    def close(self) -> None:
        """End everything."""
        for one in (self._listening, *self._open):
            with suppress(OSError):  # it is not connected any more
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                near, _ = self._listening.accept()
                far = socket.create_connection(("127.0.0.1", self._port))
                with self._lock:
                    self._open += [near, far]
                for source, sink in ((near, far), (far, near)):
                    Thread(target=self._pass_on, args=(source, sink), name="way", daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):  # the other side has gone
            while data := source.recv(65536):
                with self._lock:
                    forgotten = source in self._forgotten
                if not forgotten:
                    sink.sendall(data)
            with self._lock:
                if source not in self._forgotten:
                    sink.shutdown(socket.SHUT_WR)
