"""Faults of processes: killed, frozen, restarted in order."""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from magnetar.chaos.cluster.stations import state, tell
from magnetar.chaos.faults.fault import Proof

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from magnetar.chaos.cluster.estate import Estate
    from magnetar.chaos.cluster.ground import Ground
    from magnetar.chaos.cluster.stations import Station
    from magnetar.chaos.faults.fault import InForce
    from magnetar.chaos.faults.targets import Target

_STOPPED = frozenset("T")


@dataclass(frozen=True, slots=True)
class Kill:
    """SIGKILL; they stay down until it is healed."""

    target: Target

    @property
    def title(self) -> str:
        """See `Fault`."""
        return f"kill {self.target.title}"

    def inject(self, ground: Ground) -> InForce:
        """See `Fault`."""
        stations = stations_of(ground, self.target)
        before = processes_of(stations)
        require_all(stations, ground.estate)
        for station in stations:
            station.kill()
        return _Killed(stations, before)


@dataclass(frozen=True, slots=True)
class _Killed:
    stations: Sequence[Station]
    before: Mapping[str, tuple[int, ...]]

    @property
    def targets(self) -> tuple[str, ...]:
        return tuple(self.before)

    def took_effect(self) -> Proof:
        return down(self.stations, self.before)

    def heal(self) -> None:
        for station in self.stations:
            if not station.pids():
                station.start()

    def healed(self) -> Proof:
        return well(self.stations)


@dataclass(frozen=True, slots=True)
class Pause:
    """SIGSTOP for all of their processes: connections stay, and nobody answers."""

    target: Target

    @property
    def title(self) -> str:
        """See `Fault`."""
        return f"pause {self.target.title}"

    def inject(self, ground: Ground) -> InForce:
        """See `Fault`."""
        stations = stations_of(ground, self.target)
        frozen = {station.node.name: tuple(tell(station, ground.estate, signal.SIGSTOP)) for station in stations}
        return _Paused(stations, frozen, ground.estate)


@dataclass(frozen=True, slots=True)
class _Paused:
    stations: Sequence[Station]
    frozen: Mapping[str, tuple[int, ...]]
    estate: Estate

    @property
    def targets(self) -> tuple[str, ...]:
        return tuple(self.frozen)

    def took_effect(self) -> Proof:
        """All of it: one that answers for the others would hide it."""
        states = {name: {pid: state(pid) for pid in pids} for name, pids in self.frozen.items()}
        stopped = all(found and set(found.values()) <= _STOPPED for found in states.values())
        return Proof(stopped, listed(f"{name}: {_states(found)}" for name, found in states.items()))

    def heal(self) -> None:
        for station in self.stations:
            tell(station, self.estate, signal.SIGCONT)

    def healed(self) -> Proof:
        left = [pid for pids in self.frozen.values() for pid in pids if state(pid) in _STOPPED]
        return Proof(holds=False, evidence=f"still stopped: {_numbers(left)}") if left else well(self.stations)


@dataclass(frozen=True, slots=True)
class Restart:
    """Stop in order and start again, one after the other, each when the one before is ready."""

    target: Target

    @property
    def title(self) -> str:
        """See `Fault`."""
        return f"restart {self.target.title}"

    def inject(self, ground: Ground) -> InForce:
        """See `Fault`."""
        stations = stations_of(ground, self.target)
        before = processes_of(stations)
        for station in stations:
            station.stop()
            station.start()
        return _Restarted(stations, before)


@dataclass(frozen=True, slots=True)
class _Restarted:
    stations: Sequence[Station]
    before: Mapping[str, tuple[int, ...]]

    @property
    def targets(self) -> tuple[str, ...]:
        return tuple(self.before)

    def took_effect(self) -> Proof:
        now = processes_of(self.stations)
        others = all(self.before[name] and pids and pids[0] not in self.before[name] for name, pids in now.items())
        words = (f"{name}: {_numbers(self.before[name][:1])} is {_numbers(pids[:1])}" for name, pids in now.items())
        return Proof(others, listed(words))

    def heal(self) -> None:
        """It is over."""

    def healed(self) -> Proof:
        return well(self.stations)


def well(stations: Sequence[Station]) -> Proof:
    """Whether each answers."""
    lacking = {station.node.name: station.lacks() for station in stations}
    return Proof(not any(lacking.values()), listed(f"{name}: {lack or 'ready'}" for name, lack in lacking.items()))


def down(stations: Sequence[Station], before: Mapping[str, tuple[int, ...]]) -> Proof:
    """Whether these processes are gone, and nobody has come in their place; who was down before shows nothing."""
    words = listed(f"{name}: {gone(pids)}" for name, pids in before.items())
    left = any(station.pids() for station in stations) or any(state(pid) for pids in before.values() for pid in pids)
    return Proof(all(before.values()) and not left, words)


def revive(stations: Sequence[Station]) -> None:
    """Start all servers that are down at once, also those that have ended by themselves."""
    fallen = [station for station in stations if not station.pids()]
    with ThreadPoolExecutor(max(1, len(fallen))) as pool:
        for starting in [pool.submit(_revived, station) for station in fallen]:
            starting.result()


def _revived(station: Station) -> None:
    station.kill()  # what is left of one that ended by itself
    station.start()


def require_all(stations: Sequence[Station], estate: Estate) -> None:
    """Raise `ForeignTarget` if one of their processes is not ours; one that has ended meanwhile is nobody's."""
    for station in stations:
        for pid in station.pids():
            with suppress(ProcessLookupError):
                estate.require_process(pid, station.node)


def stations_of(ground: Ground, target: Target) -> list[Station]:
    """What is at a target now. Raises what `resolve` raises."""
    return [ground.station(node) for node in target.resolve(ground)]


def processes_of(stations: Sequence[Station]) -> dict[str, tuple[int, ...]]:
    """By the names of their nodes; none of one that is down."""
    return {station.node.name: tuple(station.pids()) for station in stations}


def gone(pids: Sequence[int]) -> str:
    """What is left of these, in words."""
    if not pids:
        return "was down before"
    left = [pid for pid in pids if state(pid)]
    return f"{_numbers(left)} still there" if left else f"{_numbers(pids)} gone"


def _numbers(pids: Sequence[int]) -> str:
    return f"process {', '.join(map(str, pids)) or 'none'}"


def _states(found: Mapping[int, str]) -> str:
    return ", ".join(f"process {pid} is {letter or 'gone'}" for pid, letter in found.items()) or "no process"


def listed(words: Iterable[str]) -> str:
    """One line of it."""
    return "; ".join(words)
