"""A Pulsar that asks for a token, on TLS ports with a certificate of an authority of our own."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import secrets
import shutil
import subprocess
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from magnetar.runtime.servers import ports
from magnetar.runtime.servers import pulsar as server_module
from magnetar.runtime.servers.health import Missing
from magnetar.runtime.servers.pulsar import PulsarServer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from magnetar.runtime.servers.pulsar import PulsarPlan


@dataclass(frozen=True, kw_only=True)
class Guarded:
    """The server, and what opens it. `certs`: the authority's certificate."""

    server: PulsarServer
    key: bytes
    certs: Path
    service_tls: str
    admin_tls: str

    def token(self, role: str) -> str:
        """A token that the server takes."""
        return signed(self.key, role)


def signed(key: bytes, role: str) -> str:
    """A JSON Web Token (HS256)."""
    text = ".".join(_base64(json.dumps(part).encode()) for part in ({"alg": "HS256"}, {"sub": role}))
    return f"{text}.{_base64(hmac.new(key, text.encode(), hashlib.sha256).digest())}"


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def guarded(plan: PulsarPlan, folder: Path) -> Guarded:
    """The server, not started yet. `admin` may do everything on it."""
    key = secrets.token_bytes(32)
    (folder / "secret.key").write_bytes(key)
    _certificates(folder)
    service, web = ports.any_free("TLS"), ports.any_free("REST over TLS")
    changes = {
        "authenticationEnabled": "true",
        "authorizationEnabled": "true",
        "superUserRoles": "admin",
        "authenticationProviders": "org.apache.pulsar.broker.authentication.AuthenticationProviderToken",
        "tokenSecretKey": f"file://{folder / 'secret.key'}",
        "brokerClientAuthenticationPlugin": "org.apache.pulsar.client.impl.auth.AuthenticationToken",
        "brokerClientAuthenticationParameters": json.dumps({"token": signed(key, "admin")}),
        "brokerServicePortTls": str(service),
        "webServicePortTls": str(web),
        "tlsCertificateFilePath": str(folder / "server.pem"),
        "tlsKeyFilePath": str(folder / "server.pk8"),
    }
    return Guarded(
        server=PulsarServer(replace(plan, data=folder / "data", changes=changes)),
        key=key,
        certs=folder / "ca.pem",
        service_tls=f"pulsar+ssl://127.0.0.1:{service}",
        admin_tls=f"https://127.0.0.1:{web}",
    )


def _certificates(folder: Path) -> None:
    """An authority, and its certificate for a server on 127.0.0.1."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl to make certificates with: install the package openssl")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n", encoding="ascii")
    new = ("-newkey", "rsa:2048", "-nodes")
    authority = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names", "-days", "2")
    for arguments in (
        ("req", "-x509", *new, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=authority"),
        ("req", *new, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=broker"),
        ("x509", "-req", "-in", "server.csr", "-out", "server.pem", *authority),
        ("pkcs8", "-topk8", "-nocrypt", "-in", "server.key", "-out", "server.pk8"),
    ):
        subprocess.run((openssl, *arguments), check=True, cwd=folder, capture_output=True)


def start(guarded: Guarded) -> None:
    """Start it; its health is asked with a token."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(server_module, "wait_until_ready", _waiting(guarded.token("admin")))
        guarded.server.start()


def _waiting(token: str) -> Callable[[int, Callable[[], bool], float], Missing | None]:
    def wait_until_ready(port: int, alive: Callable[[], bool], within: float) -> Missing | None:
        until = time.monotonic() + within
        while (said := _asked(port, token)) is not None:
            if time.monotonic() >= until or not alive():
                return Missing("/admin/v2/brokers/health", said)
        return None

    return wait_until_ready


def _asked(port: int, token: str) -> str | None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/admin/v2/brokers/health", headers={"authorization": f"Bearer {token}"})
        status = connection.getresponse().status
    except OSError as problem:
        return repr(problem)
    finally:
        connection.close()
    return None if status == http.client.OK else str(status)
