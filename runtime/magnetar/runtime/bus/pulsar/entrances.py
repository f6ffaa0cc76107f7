"""The clients, by the hosts through which they ask where a topic is (R32).

Openings go through clients that know only the hosts that answer. What was opened stays with the clients that opened it:
these are kept, and used again as soon as their hosts are those that answer.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING

from magnetar.runtime.bus.port import BusError
from magnetar.runtime.bus.pulsar import native
from magnetar.runtime.bus.pulsar.closing import Farewell, close_clients
from magnetar.runtime.bus.pulsar.hosts import answering, hosts_of, url_of
from magnetar.runtime.bus.pulsar.ping import Questions
from magnetar.runtime.bus.pulsar.probing import Probes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from magnetar.runtime.bus.pulsar.native import NativeClient
    from magnetar.runtime.bus.pulsar.settings import PulsarSettings

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Clients:
    """Three clients, and how their objects are closed.

    Each of its own: a refused send makes the C++ client close its whole connection, which must not take the consumers
    along; and the schema client has a shorter time-out than openings may have.
    """

    consuming: NativeClient
    producing: NativeClient
    schemas: NativeClient
    consumers_farewell: Farewell
    producers_farewell: Farewell
    questions: Questions

    @classmethod
    def connected(cls, settings: PulsarSettings, silent: Callable[[], bool]) -> Clients:
        """New ones, which open connections when first used. `silent`: whether it is known that a broker is."""
        consuming = native.connect(settings, settings.operation_timeout)
        return cls(
            consuming,
            native.connect(settings, settings.operation_timeout),
            native.connect(settings, settings.schema_timeout),
            Farewell(settings.close_timeout, silent=silent),
            Farewell(settings.close_timeout, silent=silent),
            Questions(consuming),
        )


class Entrances:
    """Who to open something through. Any thread.

    `all`: the clients that know every host.
    """

    def __init__(self, settings: PulsarSettings, silent: Collection[str] = ()) -> None:
        """`silent`: the hosts that did not answer before. Raises `BusError` when no client can be made."""
        self._settings = settings
        self._hosts = hosts_of(settings.service_url)
        self._lock = Lock()
        self._probes = Probes(self._probing(), settings.probe_timeout, silent)
        self.all = Clients.connected(settings, self.partly_silent)
        self._made: dict[tuple[str, ...], Clients] = {self._hosts: self.all}

    def now(self, topic: str) -> Clients:
        """Those that know the hosts that answer. The hosts are asked about the topic meanwhile."""
        self._probes.ask(topic)
        hosts = answering(self._hosts, self._probes.silent())
        with self._lock:
            return self._through(hosts)

    def ask(self, topic: str) -> bool:
        """Ask the hosts about the topic, to know in time; whether some are silent by what is known."""
        self._probes.ask(topic)
        return self.partly_silent()

    def partly_silent(self) -> bool:
        """Whether some host is silent while another one answers."""
        return 0 < len(self._probes.silent()) < len(self._hosts)

    def renewed(self) -> Entrances:
        """New ones, with what is known of the hosts. Raises `BusError`."""
        return Entrances(self._settings, self._probes.silent())

    def close(self, within: float) -> bool:
        """Close all, in the background where it takes longer than so many seconds; whether all were closed by then."""
        with self._lock:
            made = list(self._made.values())
        clients = [client for each in made for client in (each.producing, each.consuming, each.schemas)]
        return close_clients([*clients, *self._probes.clients], within)

    def _through(self, hosts: tuple[str, ...]) -> Clients:
        found = self._made.get(hosts)
        if found is None:
            silent = ", ".join(host for host in self._hosts if host not in hosts)
            _log.warning("%s does not answer: asking %s alone where topics are", silent, ", ".join(hosts))
            try:
                found = Clients.connected(_with(self._settings, hosts), self.partly_silent)
            except BusError as error:
                _log.warning("no clients without %s: %s", silent, error)
                return self.all
            self._made[hosts] = found
        return found

    def _probing(self) -> dict[str, NativeClient]:
        """Where there is one host only, there is nothing to choose."""
        if len(self._hosts) == 1:
            return {}
        settings = self._settings
        return {host: native.connect(_with(settings, (host,)), settings.ping_timeout) for host in self._hosts}


def _with(settings: PulsarSettings, hosts: tuple[str, ...]) -> PulsarSettings:
    return replace(settings, service_url=url_of(settings.service_url, hosts))
