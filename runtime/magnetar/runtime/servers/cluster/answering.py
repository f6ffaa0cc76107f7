"""Whether the members of a cluster answer, and who of them ZooKeeper believes to be there."""

from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from typing import TYPE_CHECKING

from magnetar.runtime.servers.cluster.record import ClusterAddress, Member, Role
from magnetar.runtime.servers.health import Missing, first_missing, wait_until_ready

if TYPE_CHECKING:
    from collections.abc import Callable

_CONNECT_SECONDS = 1.0
_ANSWER_SECONDS = 1.0  # a supervisor holds its lock meanwhile, also when ZooKeeper is frozen
_POLL_SECONDS = 0.05
_READ_ONLY = "/ledgers/available/readonly/"
_REGISTERED = {Role.BOOKIE: "/ledgers/available/", Role.BROKER: "/loadbalance/brokers/"}


def listens(host: str, port: int) -> bool:
    """Whether somebody takes a connection; a frozen process does: the kernel takes it."""
    try:
        with socket.create_connection((host, port), timeout=_CONNECT_SECONDS):
            return True
    except OSError:
        return False


def registered(address: ClusterAddress) -> frozenset[str] | None:
    """The ephemeral nodes that ZooKeeper holds, each until its session ends; None if ZooKeeper does not answer."""
    told = (ephemerals(word(address.host_of(member), member.port, "dump")) for member in address.zookeepers)
    return next((nodes for nodes in told if nodes is not None), None)


def word(host: str, port: int, command: str) -> str:
    """What a ZooKeeper answers to one of its four-letter words; empty if it does not answer."""
    said = bytearray()
    try:
        with socket.create_connection((host, port), timeout=_ANSWER_SECONDS) as connection:
            connection.sendall(command.encode())
            while chunk := connection.recv(65536):
                said += chunk
    except OSError:
        return ""
    return said.decode(errors="replace")


def ephemerals(dump: str) -> frozenset[str] | None:
    """The nodes in an answer to `dump`; None for another answer, such as that of a ZooKeeper that only just starts."""
    lines = dump.splitlines()
    if not any(line.startswith("Sessions with Ephemerals") for line in lines):
        return None
    return frozenset(node for line in lines if (node := line.strip()).startswith("/") and line[:1].isspace())


def node(host: str, member: Member) -> str | None:
    """Where a member stands in ZooKeeper while its session lives; None for ZooKeeper itself."""
    if member.role is Role.ZOOKEEPER:
        return None
    return f"{_REGISTERED[member.role]}{host}:{member.web_port or member.port}"


def full(host: str, member: Member) -> str | None:
    """Where a bookie stands that takes no writes any more, because its disk is full; None for others."""
    return f"{_READ_ONLY}{host}:{member.port}" if member.role is Role.BOOKIE else None


def standing(address: ClusterAddress) -> frozenset[str] | None:
    """The members that ZooKeeper holds a place for, by name; None if it does not answer."""
    nodes = registered(address)
    if nodes is None:
        return None
    hosts = ((member, address.host_of(member)) for member in address.members)
    return frozenset(member.name for member, host in hosts if {node(host, member), full(host, member)} & nodes)


def lacking(address: ClusterAddress, member: Member) -> str:
    """What a member lacks, empty if it answers: a broker over REST, a bookie by its port and what ZooKeeper knows."""
    host = address.host_of(member)
    if member.role is Role.BROKER and member.web_port is not None:
        return _in_words(first_missing(member.web_port, host))
    if not listens(host, member.port):
        return f"nobody answers on {host}:{member.port}"
    if member.role is Role.ZOOKEEPER:
        return "it serves nobody" if ephemerals(word(host, member.port, "dump")) is None else ""
    nodes = registered(address)
    if nodes is None:
        return "ZooKeeper does not answer"
    if full(host, member) in nodes:
        return "it takes no writes: its disk is full"
    return "" if node(host, member) in nodes else "it is not registered in ZooKeeper"


def all_lacking(address: ClusterAddress) -> dict[str, str]:
    """What each member lacks, by name; all are asked at the same time."""
    with ThreadPoolExecutor(len(address.members)) as pool:
        found = pool.map(lacking, repeat(address), address.members)
        return {member.name: said for member, said in zip(address.members, found, strict=True)}


def wait_for(address: ClusterAddress, member: Member, going_on: Callable[[], bool], within: float) -> str:
    """Wait until a member answers; empty, or what it lacked when the time was over or `going_on` said no."""
    if member.role is Role.BROKER and member.web_port is not None:
        return _in_words(wait_until_ready(member.web_port, going_on, within, address.host_of(member)))
    deadline = time.monotonic() + within
    while said := lacking(address, member):
        if time.monotonic() >= deadline or not going_on():
            break
        time.sleep(_POLL_SECONDS)
    return said


def _in_words(missing: Missing | None) -> str:
    """On one line: what a broker says of itself while it starts is a page of HTML."""
    return "" if missing is None else " ".join(str(missing).split())
