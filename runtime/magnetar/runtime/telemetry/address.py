"""Where to listen: `HOST:PORT`, as operators write it."""

from __future__ import annotations

from typing import NamedTuple

MOST = 65_535
"""Highest port."""


class Address(NamedTuple):
    """A host (a name, an IPv4 or an IPv6 address) and a port; port 0 is any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        """As it is written in a URL: an IPv6 address in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> Address:
        """The inverse of `str(address)`; `ValueError`, which says what would do, for anything else."""
        host, colon, port = text.rpartition(":")
        if host.startswith("[") and host.endswith("]"):
            host = host[1:-1]
        elif ":" in host:
            host = ""  # an IPv6 address without brackets: where does it end?
        if not (host and colon and port.isascii() and port.isdigit() and len(port) <= len(str(MOST))):
            raise ValueError(_wanted(text))
        if int(port) > MOST:
            raise ValueError(_wanted(text))
        return cls(host, int(port))

    def next(self, steps: int) -> Address:
        """So many ports further; any free port stays any free port. `ValueError` above the highest."""
        if self.port and self.port + steps > MOST:
            message = f"{self} and {steps} more: there is no port above {MOST}"
            raise ValueError(message)
        return self._replace(port=self.port + steps) if self.port else self


def _wanted(text: str) -> str:
    return f"{text!r} is no address to listen on; write HOST:PORT, e.g. 127.0.0.1:9464, [::1]:9464, or 0.0.0.0:9464"
