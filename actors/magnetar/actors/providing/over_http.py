"""A provider over HTTP: `answers` says what an answer means, this says what none means.

Where no connection was made, nothing was sent (`NotSent`). Everything after that, without a whole answer, may have been
done (`Unsure`): a time-out, a connection that breaks, an answer without end.

Each question has a connection of its own. One that is kept may have been closed by the provider meanwhile, which makes
a doubt out of a question that never arrived; and on one that a provider has answered twice, every later question reads
the answer to the one before it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import httpx2

from magnetar.actors.providing import wire
from magnetar.actors.providing.answers import Answer
from magnetar.actors.providing.asking import Asking
from magnetar.actors.providing.errors import Doubt, NotSent, Unsure

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from magnetar.actors.providing.settings import ProviderSettings

_NEVER_SENT: Final = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
_MOST_WAIT: Final = 3_600.0


class HttpProvider(Asking):
    """See `Provider`. Holds connections: close it. Threads: any, as many at once as `settings.connections`."""

    def __init__(self, settings: ProviderSettings) -> None:
        """Connects to nothing yet."""
        self._http = _HttpLine(settings)
        super().__init__(self._http)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of every connection."""
        self._http.close()


class _HttpLine:
    """See `Line`. No proxy, no netrc and no redirect is followed: money goes to the one address in the settings.

    An answer whose head comes drop by drop outlasts the time-outs; whoever calls has a time-out of its own.
    """

    def __init__(self, settings: ProviderSettings) -> None:
        self._token = "" if settings.token is None else settings.token.get_secret_value()
        self._patience = settings.read_timeout
        self._client = httpx2.Client(
            base_url=settings.url,
            timeout=httpx2.Timeout(
                settings.read_timeout, connect=settings.connect_timeout, pool=settings.connect_timeout
            ),
            limits=httpx2.Limits(max_connections=settings.connections, max_keepalive_connections=0),
            headers={"accept-encoding": "identity", "user-agent": "magnetar"},
            trust_env=False,
            follow_redirects=False,
        )

    def close(self) -> None:
        self._client.close()

    def ask(self, method: str, path: str, key: str, body: bytes) -> Answer:
        """See `Line`."""
        headers = {wire.KEY_HEADER: key, "content-type": "application/json"}
        if self._token:
            headers["authorization"] = f"Bearer {self._token}"
        request = self._client.build_request(method, path, content=body, headers=headers)
        try:
            return self._sent(request, key)
        except _NEVER_SENT as failure:
            raise NotSent(key, _seen(failure)) from failure
        except httpx2.TimeoutException as failure:
            raise Unsure(key, Doubt.SILENCE, _seen(failure)) from failure
        except httpx2.HTTPError as failure:
            raise Unsure(key, Doubt.BROKEN, _seen(failure)) from failure

    def _sent(self, request: httpx2.Request, key: str) -> Answer:
        response = self._client.send(request, stream=True)
        try:
            return Answer(key, response.status_code, self._body(response, key), _wait(response))
        finally:
            response.close()

    def _body(self, response: httpx2.Response, key: str) -> bytes:
        """All of it, or `Unsure`; the token is taken out, should the provider repeat it."""
        body, until = bytearray(), time.monotonic() + self._patience
        for chunk in response.iter_raw():
            body += chunk
            if len(body) > wire.MOST_BODY:
                raise Unsure(key, Doubt.OVERSIZED, f"{response.status_code}, over {wire.MOST_BODY} bytes")
            if time.monotonic() > until:
                raise Unsure(key, Doubt.SILENCE, f"{response.status_code}, {len(body)} bytes came")
        return bytes(body).replace(self._token.encode(), b"***") if self._token else bytes(body)


def _seen(failure: httpx2.HTTPError) -> str:
    return f"{type(failure).__name__}: {failure}".rstrip(": ")


def _wait(response: httpx2.Response) -> float | None:
    """`Retry-After` in seconds, an hour at most; a date, or nonsense, says nothing."""
    said = response.headers.get("retry-after", "")
    return min(float(said), _MOST_WAIT) if said.isascii() and said.isdigit() else None
