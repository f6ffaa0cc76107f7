"""How each member is run: its settings as a file, and its command, without the distribution's start scripts.

The scripts start a Java of their own, twice, to ask for its version, and leave the order of the class path to the file
system, which a class archive does not forgive. What they set is set here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from magnetar.runtime.servers import settings
from magnetar.runtime.servers.cluster.record import ClusterAddress, Member, MemberLayout, Role

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from magnetar.runtime.servers.java import Java

CLUSTER = "magnetar"
_PEERS, _ELECTION = 2888, 3888
_LEDGERS = "ledgers"
_BOOKIE_ROOM = 192 * 1024 * 1024  # two logs of RocksDB take 70 MiB each as soon as they are opened
_OPENED = (
    *("java.base/java.io", "java.base/java.nio", "java.base/java.util.zip"),
    *("java.base/jdk.internal.misc", "java.base/jdk.internal.platform"),
    *("java.management/sun.management", "jdk.management/com.sun.management.internal"),
)
_UNSAFE_ASKS_SINCE = 23
_QUICK = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:+PerfDisableSharedMem", "-XX:+ExitOnOutOfMemoryError")
# The archive is mapped where it was made for, so its pages are shared and need no relocation: 25 MB and 0.1 s a member.
_IN_PLACE = ("-XX:+UnlockDiagnosticVMOptions", "-XX:ArchiveRelocationMode=0")
_DRIVERS = "org.apache.pulsar.metadata.bookkeeper.PulsarMetadata"
_PROPERTIES = (
    "-Djava.net.preferIPv4Stack=true",
    "-Djute.maxbuffer=10485760",
    "-Dzookeeper.clientTcpKeepAlive=true",
    "-Dio.netty.tryReflectionSetAccessible=true",
    "-Dorg.apache.pulsar.shade.io.netty.tryReflectionSetAccessible=true",
    "-Dio.netty.recycler.maxCapacityPerThread=4096",
    "-Dpulsar.allocator.exit_on_oom=true",
    "-Dlog4j2.is.webapp=false",
    "-Dpulsar.log.appender=RoutingAppender",
    "-Dpulsar.log.immediateFlush=true",
    "-Dpulsar.routing.appender.default=Console",
    f"-Dbookkeeper.metadata.bookie.drivers={_DRIVERS}BookieDriver",
    f"-Dbookkeeper.metadata.client.drivers={_DRIVERS}ClientDriver",
)
_ZOOKEEPER_PROPERTIES = (
    "-Dzookeeper.4lw.commands.whitelist=*",
    "-Dzookeeper.snapshot.trust.empty=true",
    "-Dzookeeper.tcpKeepAlive=true",
)
_MEMORY = {
    Role.ZOOKEEPER: ("-Xms32m", "-Xmx128m"),
    Role.BOOKIE: ("-Xms64m", "-Xmx256m", "-XX:MaxDirectMemorySize=256m"),
    Role.BROKER: ("-Xms128m", "-Xmx512m", "-XX:MaxDirectMemorySize=512m"),
}
_MAIN = {
    Role.ZOOKEEPER: (*_ZOOKEEPER_PROPERTIES, "org.apache.zookeeper.server.quorum.QuorumPeerMain"),
    Role.BOOKIE: ("org.apache.bookkeeper.server.Main", "--conf"),
    # It still logs while it shuts down, which it does in a hook, too.
    Role.BROKER: ("-Dlog4j.shutdownHookEnabled=false", "org.apache.pulsar.PulsarBrokerStarter", "--broker-conf"),
}
_SHIPPED = {Role.BOOKIE: "bookkeeper.conf", Role.BROKER: "broker.conf"}
_OURS = {Role.ZOOKEEPER: "zookeeper.conf", Role.BOOKIE: "bookkeeper.conf", Role.BROKER: "broker.conf"}


@dataclass(frozen=True, slots=True)
class Programs:
    """What every command of one cluster starts with: a Java, a distribution, a class archive if there is one."""

    java: Java
    home: Path
    classes: Path | None = None

    def member(self, member: Member, layout: MemberLayout) -> Sequence[str]:
        """The command of a member, whose settings are in place."""
        return (*self._java(layout, *_MEMORY[member.role]), *_MAIN[member.role], str(layout.settings))

    def preparation(self, address: ClusterAddress, layout: MemberLayout) -> Sequence[str]:
        """The command that writes into ZooKeeper, once, what bookies and brokers look for."""
        return (
            *self._java(layout, "-Xmx128m"),
            "org.apache.pulsar.PulsarClusterMetadataSetup",
            *("--cluster", CLUSTER),
            *("--metadata-store", address.metadata_url, "--configuration-metadata-store", address.metadata_url),
            *("--web-service-url", address.admin_urls[0]),
            *("--broker-service-url", f"pulsar://{address.host_of(address.brokers[0])}:{address.brokers[0].port}"),
            *("--initial-num-stream-storage-containers", "0"),
        )

    def _java(self, layout: MemberLayout, *memory: str) -> Sequence[str]:
        archive = () if self.classes is None else (*_IN_PLACE, f"-XX:SharedArchiveFile={self.classes}")
        unsafe = ("--sun-misc-unsafe-memory-access=allow",) if self.java.major >= _UNSAFE_ASKS_SINCE else ()
        return (
            *(str(self.java.home / "bin" / "java"), *memory, *_QUICK, *archive, *unsafe),
            *("-cp", class_path(self.home)),
            *(f"--add-opens={package}=ALL-UNNAMED" for package in _OPENED),
            "--enable-native-access=ALL-UNNAMED",
            *_PROPERTIES,
            f"-Dlog4j.configurationFile={self.home / 'conf' / 'log4j2.yaml'}",
            f"-Dpulsar.log.dir={layout.logs}",
            f"-Djava.io.tmpdir={layout.scratch}",
        )


def class_path(home: Path) -> str:
    """Every library of the distribution, in an order that is always the same."""
    return ":".join(sorted(str(library) for library in (home / "lib").glob("*.jar")))


def settings_of(
    member: Member, address: ClusterAddress, layout: MemberLayout, home: Path, changes: Mapping[str, Mapping[str, str]]
) -> str:
    """The text of a member's settings: the distribution's, with ours, its address, and what was asked for over it."""
    shipped = _SHIPPED.get(member.role)
    text = "" if shipped is None else (home / "conf" / shipped).read_text(encoding="utf-8")
    ours = settings.ours(f"cluster/{_OURS[member.role]}")
    asked = {**changes.get(member.role.value, {}), **changes.get(member.name, {})}
    return settings.merged(text, {**ours, **_place(member, address, layout), **asked})


def _place(member: Member, address: ClusterAddress, layout: MemberLayout) -> Mapping[str, str]:
    host = address.host_of(member)
    match member.role:
        case Role.ZOOKEEPER:
            return {
                "clientPort": str(member.port),
                "clientPortAddress": host,
                "dataDir": str(layout.data),
                **_ensemble(address),
            }
        case Role.BOOKIE:
            return {
                "bookiePort": str(member.port),
                "advertisedAddress": host,
                "listeningInterface": settings.loopback(),  # any at all makes it listen on the address above only
                "metadataServiceUri": f"metadata-store:{address.metadata_url}",
                "journalDirectory": str(layout.data / "journal"),
                "ledgerDirectories": str(layout.data / _LEDGERS),
            }
        case Role.BROKER:
            return {
                "bindAddress": host,
                "advertisedAddress": host,
                "brokerServicePort": str(member.port),
                "webServicePort": str(member.web_port),
                "clusterName": CLUSTER,
                "metadataStoreUrl": address.metadata_url,
                "configurationMetadataStoreUrl": address.metadata_url,
            }


def identity(member: Member, address: ClusterAddress) -> Mapping[str, str]:
    """The files of a member's data that say who it is: a ZooKeeper of an ensemble goes by a number."""
    numbers = _numbers(address)
    return {"myid": f"{numbers[member.name]}\n"} if member.name in numbers else {}


def forgotten(member: Member) -> Sequence[str]:
    """The files of a member's data that it does not find again: how far a bookie's ledgers have what is in its journal.

    A bookie moves that mark over entries that it could not write for want of room: the next flush finds nothing that is
    new, and says that all is written (BookKeeper 4.17, `SingleDirectoryDbLedgerStorage.checkpoint`; ADR 28). Without
    it, a bookie reads all of its journal when it starts, which changes nothing of what it has (R10).
    """
    return (f"{_LEDGERS}/current/lastMark",) if member.role is Role.BOOKIE else ()


def room(member: Member) -> int:
    """Bytes that its disk must have left for a member to be started.

    A bookie that finds none for its journal while it starts may neither work nor end: it keeps its place in ZooKeeper,
    and resets the connections of whoever chose it.
    """
    return _BOOKIE_ROOM if member.role is Role.BOOKIE else 0


def _ensemble(address: ClusterAddress) -> Mapping[str, str]:
    """How the ZooKeepers of an ensemble find each other; each has an address, and so these ports, of its own."""
    numbers = _numbers(address)
    return {
        f"server.{numbers[member.name]}": f"{address.host_of(member)}:{_PEERS}:{_ELECTION}"
        for member in address.zookeepers
        if member.name in numbers
    }


def _numbers(address: ClusterAddress) -> Mapping[str, int]:
    """From 1, in an ensemble; a single ZooKeeper has none."""
    several = address.zookeepers if len(address.zookeepers) > 1 else ()
    return {member.name: number for number, member in enumerate(several, 1)}
