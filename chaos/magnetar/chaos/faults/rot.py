"""What was written long ago is not what is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from magnetar.chaos.cluster.profile import Role
from magnetar.chaos.faults.fault import Proof
from magnetar.chaos.faults.processes import listed, require_all, stations_of, well

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from magnetar.chaos.cluster.ground import Ground
    from magnetar.chaos.cluster.stations import Station
    from magnetar.chaos.faults.fault import InForce
    from magnetar.chaos.faults.targets import Target

_WRONG = b"Digest mismatch for ledger-id: "


@dataclass(frozen=True, slots=True)
class RotDisk:
    """Of all that bookies keep of entries a bit in each sector is another; they were stopped in order meanwhile.

    Stopped in order they write all down, so that nobody needs their journals, which go.
    """

    target: Target

    @property
    def title(self) -> str:
        """See `Fault`."""
        return f"rot of the disk of {self.target.title}"

    def inject(self, ground: Ground) -> InForce:
        """See `Fault`. Raises `DiskMissing`."""
        stations = stations_of(ground, self.target)
        require_all(stations, ground.estate)
        flipped: dict[str, int] = {}
        for station in stations:
            station.stop()
            flipped[station.node.name] = ground.disks.rot(station.node)
            station.start()
        return _Rotten(stations, flipped)


@dataclass(frozen=True, slots=True)
class _Rotten:
    stations: Sequence[Station]
    flipped: Mapping[str, int]

    @property
    def targets(self) -> tuple[str, ...]:
        return tuple(self.flipped)

    def took_effect(self) -> Proof:
        words = listed(f"{name}: {count} bits of entries are wrong" for name, count in self.flipped.items())
        return Proof(all(self.flipped.values()), words)

    def heal(self) -> None:
        """Nobody can: whoever reads an entry sees that it is wrong, and asks another bookie."""

    def healed(self) -> Proof:
        return well(self.stations)


def wrong_entries(ground: Ground) -> int:
    """How often the brokers, since each was started last, read an entry that is not what its digest says.

    They ask another bookie then. By their logs, in the words of BookKeeper 4.17 (`DigestManager.verifyDigest`).
    """
    brokers = ground.profile.of(Role.BROKER)
    return sum(ground.pulsar.log(broker.name).read_bytes().count(_WRONG) for broker in brokers)
