"""Who we are to a cluster, and how its servers prove who they are.

The token is a secret. It is not in the text of anything here, and errors name the file, never what is in it. A file is
read again for each new connection of ours, so that a token that was renewed is used after `Bus.renew`.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from magnetar.runtime.bus.port import Refused

if TYPE_CHECKING:
    from pathlib import Path

REMEDY = "give a valid one in MAGNETAR_BUS_TOKEN_FILE or MAGNETAR_BUS_TOKEN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What connections to brokers and to the REST API have in common. Host names are always checked.

    Args:
        token: a JSON Web Token, as `pulsar tokens create` makes it.
        token_file: a file that holds it, in place of `token`.
        trust_certs: a PEM file with the certificates of the authorities that sign the servers'; None: the machine's.
    """

    token: str | None = field(default=None, repr=False)
    token_file: Path | None = None
    trust_certs: Path | None = None

    def __post_init__(self) -> None:
        """Two tokens are one too many: `Refused`."""
        if self.token is not None and self.token_file is not None:
            raise Refused("two tokens for the broker: give MAGNETAR_BUS_TOKEN or MAGNETAR_BUS_TOKEN_FILE, not both")

    def bearer(self) -> str | None:
        """The token as it is now. `Refused` for one that cannot be read, or is none; reads a file."""
        if self.token_file is None:
            return None if self.token is None else _checked(self.token, "the token for the broker")
        try:
            text = self.token_file.read_bytes().decode("ascii", errors="replace")
        except OSError as failure:
            why = f"cannot read the token for the broker: {failure.strerror}: {self.token_file}"
            raise Refused(f"{why}; {REMEDY}") from failure
        return _checked(text, f"the token for the broker in {self.token_file}")

    def certs(self) -> str | None:
        """The path of the trusted certificates. `Refused` for a file that holds none."""
        return None if self.trust_certs is None else str(self._loaded(self.trust_certs)[0])

    def tls(self) -> ssl.SSLContext | None:
        """How the REST API's certificate is checked; None: as by default. `Refused` for a file that holds none."""
        return None if self.trust_certs is None else self._loaded(self.trust_certs)[1]

    def _loaded(self, path: Path) -> tuple[Path, ssl.SSLContext]:
        try:
            return path, ssl.create_default_context(cafile=path)
        except OSError as failure:  # an SSLError is one
            why = f"{path} holds no certificates that could be trusted: {failure.strerror or failure}"
            raise Refused(f"{why}; name a PEM file in MAGNETAR_BUS_TRUST_CERTS") from failure


def _checked(text: str, what: str) -> str:
    token = text.strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise Refused(f"{what} is empty or holds characters that no token has; {REMEDY}")
    return token
