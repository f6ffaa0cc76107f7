"""What must be allowed: tried inside an enclosure, on a network of two nodes and on disks of a few megabytes."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import signal
import socket
import subprocess
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from magnetar.chaos.cluster import filesystem
from magnetar.chaos.cluster.groups import hierarchy
from magnetar.chaos.cluster.profile import Node, Role
from magnetar.chaos.cluster.running import run
from magnetar.chaos.cluster.stations import state
from magnetar.chaos.doctor.findings import NotHere, Probe
from magnetar.runtime.servers.process import until

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from magnetar.chaos.cluster.estate import Estate
    from magnetar.chaos.cluster.hearing import Hearing
    from magnetar.chaos.cluster.janitor import Debts
    from magnetar.chaos.cluster.switch import Switch

ONE, OTHER = Node(Role.BROKER, 1), Node(Role.BOOKIE, 1)
_PORT = 4711
_WAIT_SECONDS = 2.0
_DISK_BYTES = 32 * 1024 * 1024
_TABLE = "add table bridge probe\nadd chain bridge probe c { type filter hook forward priority 0; }\n"
_LOSS = "add rule bridge probe c numgen random mod 100 < 10 drop\n"


@dataclass(frozen=True, slots=True)
class Bench:
    """The two nodes, and who remembers what is frozen."""

    switch: Switch
    hearing: Hearing
    estate: Estate
    debts: Debts

    @property
    def probes(self) -> Sequence[Probe]:
        """In the order in which they are told."""
        return (
            Probe("cut, one way", "partitions of any shape, isolation", self.cut, vital=True),
            Probe("pause", "frozen processes, zombies", self.pause, vital=True),
            Probe("reset", "connections that break at once", self.reset),
            Probe("rate limit", "slow links", self.rate),
            Probe("loss and delay (netem)", "lossy, slow and reordering links", self.netem),
            Probe("loss and ports (nft)", "lossy links, cuts of one port", self.nft),
            Probe("full disk", "a bookie without room", self.full),
            Probe("power loss", "what was not fsynced is gone", self.power),
            Probe("frozen disk", "a disk that hangs", self.hung),
            Probe("limits", "CPU limits", self.limits),
        )

    def cut(self) -> str:
        """Nothing comes through in one direction, all in the other, and all when it is healed."""
        there, back = (ONE, OTHER), (OTHER, ONE)
        for links, wanted in (([there], {back}), ([], {there, back})):
            self.switch.heal_all()
            self.switch.cut(links)
            heard = self.hearing.heard([there, back])
            if set(heard) != wanted:
                raise NotHere(f"with {len(links)} links cut, {len(heard)} of 2 were heard")
        return "silent there, heard back, healed"

    def pause(self) -> str:
        """A process in a node stops and goes on."""
        process = subprocess.Popen([*self.switch.prefix(ONE), "sleep", "60"])  # noqa: S603 - our own words
        try:
            for number, wanted in ((signal.SIGSTOP, "T"), (signal.SIGCONT, "SR")):
                process.send_signal(number)
                if not until(lambda: state(process.pid) in wanted, _WAIT_SECONDS):  # noqa: B023 - used at once
                    raise NotHere(f"after {number.name} its state is {state(process.pid)!r}")
        finally:
            process.kill()
            process.wait()
        return "stopped and went on"

    def reset(self) -> str:
        """Both ends of a connection learn at once that it is gone."""
        with ExitStack() as opened:
            with self.switch.inside(OTHER):
                listener = opened.enter_context(socket.create_server((OTHER.address, _PORT)))
            with self.switch.inside(ONE):
                client = opened.enter_context(socket.create_connection((OTHER.address, _PORT), _WAIT_SECONDS))
            server = opened.enter_context(listener.accept()[0])
            run(*self.switch.prefix(ONE), "ss", "--tcp", "--kill", "dst", OTHER.address)
            for end in (client, server):
                end.settimeout(_WAIT_SECONDS)
                try:
                    end.recv(1)
                except TimeoutError as problem:
                    raise NotHere("an end did not notice: the kernel has no INET_DIAG_DESTROY") from problem
                except ConnectionError:
                    continue
        return "both ends noticed"

    def rate(self) -> str:
        """A queue that lets so many bits a second through."""
        return self._queue("tbf", "rate", "1mbit", "burst", "32kbit", "latency", "50ms")

    def netem(self) -> str:
        """A queue that loses and delays."""
        return self._queue("netem", "loss", "10%", "delay", "50ms")

    def nft(self) -> str:
        """A rule of the switch that drops at random."""
        if shutil.which("nft") is None:
            raise NotHere("nft not found: install nftables")
        command = ("ip", "netns", "exec", self.estate.switch, "nft", "-f", "-")
        run(*command, given=_TABLE + _LOSS)
        run(*command, given="delete table bridge probe\n")
        return "a rule that drops one of ten"

    def full(self) -> str:
        """A disk in memory that has no room."""
        place = self._folder("full")
        run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place))
        try:
            (place / "file").write_bytes(filesystem.BLOCK * 512)
        except OSError as problem:
            if problem.errno == errno.ENOSPC:
                return os.strerror(errno.ENOSPC)
            raise
        finally:
            run("umount", str(place))
        raise NotHere("2 MiB fitted on a disk of 1 MiB")

    def power(self) -> str:
        """What was written and not forced is gone with the power; what was forced is there."""
        with self._disk("power") as (image, place):
            filesystem.write(place / "forced", force=True)
            filesystem.write(place / "only-written", force=False)
            filesystem.lose_power(place)
            filesystem.unmount(place)
            filesystem.mount(image, place)
            left = sorted(path.name for path in place.iterdir() if path.is_file() and path.stat().st_size)
        if left != ["forced"]:
            raise NotHere(f"after it there was {', '.join(left) or 'nothing'}")
        return "only what was fsynced is left"

    def hung(self) -> str:
        """A file system takes no writes until it is thawed."""
        with self._disk("hung") as (_, place):
            debt = self.debts.owe(*filesystem.thawing(place))
            run(*filesystem.freezing(place))
            run(*filesystem.thawing(place))
            self.debts.paid(debt)
        return "frozen and thawed"

    def limits(self) -> str:
        """A control group of our own."""
        tree = hierarchy()
        group = tree.root / f"{self.estate.namespace(ONE)}-{secrets.token_hex(4)}"
        group.mkdir()
        group.rmdir()
        return f"groups of version {tree.version} can be made in {tree.root}"

    def _queue(self, *words: str) -> str:
        port = ("tc", "-n", self.estate.switch, "qdisc")
        run(*port, "add", "dev", f"p-{ONE.name}", "root", *words)
        run(*port, "del", "dev", f"p-{ONE.name}", "root")
        return " ".join(words)

    def _folder(self, name: str) -> Path:
        place = self.estate.require_path(self.estate.folder / name)
        place.mkdir()
        return place

    @contextmanager
    def _disk(self, name: str) -> Generator[tuple[Path, Path]]:
        """A small file system, mounted."""
        place = self._folder(name)
        image = place.with_suffix(".img")
        filesystem.make(image, _DISK_BYTES)
        filesystem.mount(image, place)
        try:
            yield image, place
        finally:
            filesystem.unmount(place)
