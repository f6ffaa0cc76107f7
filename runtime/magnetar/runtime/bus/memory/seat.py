"""What one living holder at a time may have: a subscription on a partition, or a producer name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from magnetar.runtime.bus.port import Busy

if TYPE_CHECKING:
    from magnetar.runtime.bus.memory.partition import Partition


class Line(Protocol):
    """The connection of the process that holds something, as the broker sees it."""

    name: str
    offline: bool

    def answers(self) -> bool:
        """What the broker's liveness probe finds: False when the process is frozen or cut off."""
        ...


class Seat:
    """A place for one. Whoever asks makes the broker probe the holder; one that does not answer is replaced."""

    __slots__ = ("holder", "what")

    def __init__(self, what: str) -> None:
        self.what = what
        self.holder: Member | None = None

    def take(self, member: Member) -> None:
        """Give the seat to a newcomer; `Busy` while its holder answers."""
        holder = self.holder
        if holder is not None and holder.line.answers():
            raise Busy(f"{self.what} is held by {holder.line.name}, which answers: ask again later")
        self.holder = member
        if holder is not None:
            holder.lost()

    def vacate(self) -> Member | None:
        """Take the seat from its holder, as a broker does that lets the partition go; who had it."""
        holder, self.holder = self.holder, None
        if holder is not None:
            holder.lost()
        return holder


class Member:
    """A consumer or a producer of one process: open until closed, and as long as it lasts in its seat.

    A member that lost its seat takes it again when its client reconnects (`resume`), if it is free; if not, it is
    `dead`: the real client object then stays silent for good, and nobody is told.
    """

    def __init__(self, line: Line, partition: Partition, seat: Seat) -> None:
        self.line = line
        self.partition = partition
        self.seat = seat
        self.closed = False
        self.dead = False
        self._lock = partition.lock

    def seated(self) -> bool:
        """Whether the broker knows this very object as the holder."""
        return self.seat.holder is self

    def connected(self) -> bool:
        """What the client believes (R32)."""
        return not self.closed and self.seated() and not self.line.offline

    def resume(self) -> None:
        """Reconnect, after the connection or the seat was lost; nothing for one that still cannot reach the broker."""
        if self.closed or self.dead or not self.line.answers():
            return
        if self.seat.holder is None:
            self.seat.holder = self
        if self.seated():
            self.rejoined()
        else:
            self.dead = True
            self.lost()

    def leave(self) -> None:
        """As the port says; done at once."""
        self.close()

    def close(self) -> None:
        """Give the seat back."""
        with self._lock:
            self.closed = True
            if self.seated():
                self.seat.holder = None
            self.partition.arrived.notify_all()

    def lost(self) -> None:
        """The broker no longer knows this member. Called under the broker's lock."""
        raise NotImplementedError

    def rejoined(self) -> None:
        """The client has connected anew and has its seat. Called under the broker's lock."""
        raise NotImplementedError
