"""Keeps the members of a cluster as they are wanted: up, started again whenever they end, or down."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING

from magnetar.runtime.servers.cluster import restarting
from magnetar.runtime.servers.cluster.record import ROLES, Role
from magnetar.runtime.servers.cluster.restarting import Life
from magnetar.runtime.servers.errors import ServerError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from magnetar.runtime.servers.cluster.member import MemberProcess

_LOOK_SECONDS = 0.1
_USUAL = MappingProxyType(ROLES)
_ASK_EACH = 10


class Supervisor:
    """Every public method may be called from any thread: one lock, held for a step at a time, orders them.

    `prepared` says whether ZooKeeper holds what the others look for; `standing` who has a place there, None if it does
    not answer. Nobody but ZooKeeper is started without it, only to fail; nor while it still holds a place of the last
    run: a bookie that is refused its place closes its port and never ends. A bookie that has lost its place is ended
    here for the same reason; one that is frozen is left as it is.
    """

    def __init__(
        self,
        members: Mapping[str, MemberProcess],
        prepared: Callable[[], bool],
        standing: Callable[[], frozenset[str] | None],
        clock: Callable[[], float] = time.monotonic,
        roles: Mapping[str, Role] = _USUAL,
    ) -> None:
        self._members = members
        self._prepared = prepared
        self._standing = standing
        self._clock = clock
        self._roles = roles
        self._lives = {name: Life() for name in members}
        self._problems: dict[str, str] = {}
        self._steps = 0
        self._turn = threading.RLock()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def member(self, name: str) -> MemberProcess:
        """One by name, to be looked at."""
        return self._members[name]

    def life(self, name: str) -> Life:
        """What is known of a member."""
        return self._lives[name]

    def problem(self, name: str) -> str:
        """Why a member could not be started the last time it was tried; empty if it could."""
        return self._problems.get(name, "")

    def want(self, *names: str) -> None:
        """They shall run from now on: who does not is started as soon as may be, who does is taken over as it is."""
        with self._turn:
            for name in names:
                life = restarting.wanted(self._lives[name], self._clock())
                self._lives[name] = restarting.adopted(life, self._clock()) if self._members[name].alive else life
            self.step()

    @contextmanager
    def ending(self, name: str) -> Generator[MemberProcess]:
        """The member, to be ended by the block; it stays down afterwards, until it is wanted again."""
        with self._turn:
            self._lives[name] = restarting.unwanted(self._lives[name])
            yield self._members[name]
            self._lives[name] = restarting.down(self._lives[name])

    def end_all(self, within: float) -> None:
        """Ask all to stop, brokers first and ZooKeeper last, and kill who has not after `within` seconds."""
        with self._turn:
            for name in self._members:
                self._lives[name] = restarting.unwanted(self._lives[name])
            end_in_order(self._members, within, self._roles)
            for name in self._members:
                self._lives[name] = restarting.down(self._lives[name])

    def kill_all(self) -> None:
        """SIGKILL for all, at once."""
        with self._turn:
            for name, member in self._members.items():
                self._lives[name] = restarting.down(restarting.unwanted(self._lives[name]))
                member.kill()

    def step(self) -> None:
        """See who has ended, start whoever is due, and once a second end whoever hangs."""
        with self._turn:
            self._steps += 1
            for name in self._members:
                self._notice_end(name)
            due = [name for name in self._members if restarting.is_due(self._lives[name], self._clock())]
            asking = self._steps % _ASK_EACH == 0 or any(self._roles[name] is not Role.ZOOKEEPER for name in due)
            places = self._standing() if asking else None
            for name in due:
                if self._may_start(name, places):
                    self._lives[name] = self._started(name, self._lives[name])
            if places is not None:
                self._end_hung(places)

    def begin(self) -> None:
        """Take a step ten times a second, in a thread of its own, until `finish`."""
        self._over.clear()
        self._thread = threading.Thread(target=self._run, name="cluster supervisor", daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """No more steps; members stay as they are. Nothing to do if it has not begun."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        while not self._over.wait(_LOOK_SECONDS):
            self.step()

    def _notice_end(self, name: str) -> None:
        life = self._lives[name]
        if life.wanted and life.since is not None and not self._members[name].alive:
            self._lives[name] = restarting.ended(life, self._clock())

    def _may_start(self, name: str, places: frozenset[str] | None) -> bool:
        if self._roles[name] is Role.ZOOKEEPER:
            return True
        return self._prepared() and places is not None and name not in places

    def _end_hung(self, places: frozenset[str]) -> None:
        for name, life in self._lives.items():
            if self._roles[name] is Role.BOOKIE and life.since is not None:
                now, at_home = self._clock(), name in places or self._members[name].frozen
                self._lives[name] = restarting.seen(life, now, placed=at_home)
                if restarting.is_hung(self._lives[name], now):
                    self._members[name].kill()

    def _started(self, name: str, life: Life) -> Life:
        """A start that fails is tried again like one whose member ended at once; what was wrong is kept."""
        try:
            self._members[name].start(fresh=life.asked)
        except (ServerError, OSError) as problem:
            self._problems[name] = str(problem)
            return restarting.ended(life, self._clock())
        self._problems.pop(name, None)
        return restarting.started(life, self._clock())


def end_in_order(members: Mapping[str, MemberProcess], within: float, roles: Mapping[str, Role]) -> None:
    """Stop every member: those that others need after those that need them, equals at the same time."""
    for role in (Role.BROKER, Role.BOOKIE, Role.ZOOKEEPER):
        same = [member for name, member in members.items() if roles[name] is role]
        for member in same:
            member.ask_to_end()
        for member in same:
            member.end(within)
