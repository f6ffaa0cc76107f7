"""Where each member of a cluster listens: as it always did, else where it was asked to, else anywhere free."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from magnetar.runtime.servers import ports
from magnetar.runtime.servers.cluster.record import ROLES, ClusterAddress, ClusterLayout, Member, Role
from magnetar.runtime.servers.errors import HostFixed, PortTaken
from magnetar.runtime.servers.ports import HOST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_USUAL_BROKER, _USUAL_WEB = 6650, 8080
_HIGHEST = 65_535


@dataclass(frozen=True, slots=True)
class Asked:
    """Where a new cluster shall listen: the address, and the ports of its first broker; the second has the next ones.

    A port that is None is any free one, of the usual ones (6650 and 8080) if `usual`.
    """

    host: str = HOST
    broker_port: int | None = None
    web_port: int | None = None
    usual: bool = False

    def fits(self, address: ClusterAddress) -> bool:
        """Whether a cluster is one that was asked for."""
        first = address.brokers[0]
        wishes = ((self.broker_port, first.port), (self.web_port, first.web_port))
        return all(want in {None, has} for want, has in wishes)


def addresses(layout: ClusterLayout, asked: Asked, version: str, members: tuple[Member, ...] = ()) -> ClusterAddress:
    """Where the cluster of a directory answers from now on, with every port free that no living member holds.

    `members`, if any, are all there is, each where it says. Raises `HostFixed` where its data was made for another
    address.
    """
    if members:
        return ClusterAddress(version=version, host=asked.host, members=members)
    last = layout.read_address()
    if last is None:
        return chosen(asked, version, lambda port: ports.is_free(port, asked.host))
    if last.host != asked.host:
        raise HostFixed(layout.data, last.host, asked.host)
    return ClusterAddress(version=version, host=last.host, members=last.members)


def chosen(asked: Asked, version: str, free: Callable[[int], bool]) -> ClusterAddress:
    """Ports for a new cluster, no two the same; raises `PortTaken` for one that was asked for and is not free."""
    taken: set[int] = set()

    def take(purpose: str, wish: int | None, *, firm: bool) -> int:
        port = _wished(purpose, wish, taken, free, firm=firm) or ports.any_free(purpose, *taken, host=asked.host)
        taken.add(port)
        return port

    def members() -> Iterator[Member]:
        wishes = _wishes(asked)
        for name, role in sorted(ROLES.items(), key=lambda pair: pair[1] is not Role.BROKER):
            wish, web_wish = wishes.get(name, (None, None))
            port = take(name, wish, firm=asked.broker_port is not None)
            web = take(f"{name}, REST API", web_wish, firm=asked.web_port is not None) if role is Role.BROKER else None
            yield Member(name=name, role=role, port=port, web_port=web)

    order = list(ROLES)
    found = sorted(members(), key=lambda member: order.index(member.name))
    return ClusterAddress(version=version, host=asked.host, members=tuple(found))


def _wishes(asked: Asked) -> Mapping[str, tuple[int | None, int | None]]:
    broker = asked.broker_port or (_USUAL_BROKER if asked.usual else None)
    web = asked.web_port or (_USUAL_WEB if asked.usual else None)
    brokers = (name for name, role in ROLES.items() if role is Role.BROKER)
    return {
        name: (None if broker is None else broker + place, None if web is None else web + place)
        for place, name in enumerate(brokers)
    }


def _wished(purpose: str, wish: int | None, taken: set[int], free: Callable[[int], bool], *, firm: bool) -> int | None:
    if wish is None:
        return None
    if wish <= _HIGHEST and wish not in taken and free(wish):
        return wish
    if firm:
        raise PortTaken(wish, purpose)
    return None
