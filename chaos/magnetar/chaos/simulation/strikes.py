"""The faults by kind: what each does to the broker, the network, the database, the workers or the sender."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from magnetar.chaos.evidence import Place
from magnetar.chaos.simulation.weather import HAPPENED, LATE, LOST, TORN
from magnetar.runtime.instant import micros
from magnetar.runtime.wiring import subscription_of

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping

    from magnetar.chaos.history import History
    from magnetar.chaos.simulation.nemesis import Nemesis
    from magnetar.chaos.simulation.process import Process
    from magnetar.runtime.bus.memory import Broker

    Strike = Callable[[Nemesis, random.Random], None]

MOST_WORKERS = 6


class Aim(NamedTuple):
    """A partition of a topic, and one of its subscriptions."""

    topic: str
    partition: int
    subscription: str


class Ammunition:
    """Counted faults that wait for their victims: what is gone from them took effect."""

    def __init__(self, broker: Broker, history: History) -> None:
        self._history = history
        self._left: dict[str, int] = dict.fromkeys(("lost acks", "lost sends", "lost receipts"), 0)
        partitions = [partition for name in broker.topics() for partition in broker.topic(name).partitions]
        self._troubles = [partition.trouble for partition in partitions]
        self._cursors = [cursor for partition in partitions for cursor in partition.subscriptions.values()]

    def count(self) -> None:
        """Note what has taken effect since the last time."""
        for kind, left in self._now().items():
            spent = self._left[kind] - left
            if spent > 0:
                self._history.took_effect(kind, spent)
            self._left[kind] = left

    def load(self) -> None:
        """More was just made ready."""
        self._left = self._now()

    def drop(self) -> None:
        """Count a last time, and take away what is left."""
        self.count()
        for trouble in self._troubles:
            trouble.lose_sends = trouble.lose_receipts = 0
        for cursor in self._cursors:
            cursor.lose_acks = 0

    def _now(self) -> dict[str, int]:
        return {
            "lost acks": sum(cursor.lose_acks for cursor in self._cursors),
            "lost sends": sum(trouble.lose_sends for trouble in self._troubles),
            "lost receipts": sum(trouble.lose_receipts for trouble in self._troubles),
        }


def _aim(nemesis: Nemesis, draw: random.Random) -> Aim:
    topics = [topic for topic in nemesis.scene.wiring.topics.values() if topic.takers]
    topic = draw.choice(sorted(topics, key=lambda topic: topic.name))
    return Aim(topic.name, draw.randrange(topic.partitions or 1), subscription_of(draw.choice(topic.takers)))


def _place(nemesis: Nemesis, draw: random.Random) -> Place:
    """Of a topic; one of letters only where something has failed already."""
    broker, wiring = nemesis.scene.broker, nemesis.scene.wiring
    letters = (name for name in wiring.letters if any(each.log.deliveries for each in broker.topic(name).partitions))
    name = draw.choice(sorted((*wiring.topics, *letters)))
    return Place(name, draw.randrange(len(broker.topic(name).partitions)))


def _crash(nemesis: Nemesis, draw: random.Random) -> None:
    nemesis.crash(draw)


def _freeze(nemesis: Nemesis, draw: random.Random) -> None:
    nemesis.freeze(draw)


def _lost_acks(nemesis: Nemesis, draw: random.Random) -> None:
    nemesis.faults.lose_acks(*_aim(nemesis, draw), count=draw.randint(1, 4))
    nemesis.ammunition.load()


def _lost_sends(nemesis: Nemesis, draw: random.Random) -> None:
    nemesis.faults.lose_sends(*_place(nemesis, draw), count=draw.randint(1, 3))
    nemesis.ammunition.load()


def _lost_receipts(nemesis: Nemesis, draw: random.Random) -> None:
    nemesis.faults.lose_receipts(*_place(nemesis, draw), count=draw.randint(1, 3))
    nemesis.ammunition.load()


def _moved(nemesis: Nemesis, draw: random.Random) -> None:
    """A partition moves to another broker, which may not know the last acknowledgements."""
    aim = _aim(nemesis, draw)
    before = nemesis.scene.broker.backlog(*aim)
    nemesis.faults.unload(*aim[:2], forget_acks=draw.choice((0, 1, 3, 20)))
    again = nemesis.scene.broker.backlog(*aim) - before
    nemesis.scene.history.took_effect("moved partition")
    nemesis.scene.history.meet("a partition moved and forgot acknowledgements", again > 0)
    _tell(nemesis, f"{aim.topic}/{aim.partition} moves, {again} messages of {aim.subscription} come again")


def _dropped(nemesis: Nemesis, draw: random.Random) -> None:
    """The same, and it takes a while."""
    place, pause = _place(nemesis, draw), draw.choice((0.05, 0.5, 1.5, 3.0))
    nemesis.faults.drop(*place, forget_acks=draw.choice((0, 2)))
    nemesis.scene.history.took_effect("dropped partition")
    _tell(nemesis, f"{place} is away for {pause} s")
    nemesis.agenda.after(pause, lambda: nemesis.faults.reconnect(*place))


def _rewound(nemesis: Nemesis, draw: random.Random) -> None:
    aim = _aim(nemesis, draw)
    before = nemesis.scene.broker.backlog(*aim)
    nemesis.faults.rewind(*aim)
    again = nemesis.scene.broker.backlog(*aim) - before
    if again:
        nemesis.scene.history.took_effect("rewound subscription")
        nemesis.scene.history.meet("a live subscription was rewound to the earliest")
        _tell(nemesis, f"{aim.subscription} on {aim.topic}/{aim.partition} is rewound by {again} messages")


def _slow_sends(nemesis: Nemesis, draw: random.Random) -> None:
    place = _place(nemesis, draw)
    nemesis.faults.hold_sends(*place)

    def release() -> None:
        log = nemesis.scene.broker.partition(*place).log.deliveries
        before = len(log)
        nemesis.faults.release_sends(*place)
        if len(log) > before:
            nemesis.scene.history.took_effect("slow sends")

    nemesis.agenda.after(draw.choice((0.1, 0.5, 1.5)), release)


def _closed(nemesis: Nemesis, draw: random.Random) -> None:
    """The broker closes a consumer or a producer, for good; nothing was on its way by then."""
    place = _place(nemesis, draw)
    partition = nemesis.scene.broker.partition(*place)
    members = [] if partition.trouble.hold_sends else list(partition.members())
    if members:
        member = draw.choice(members)
        member.close()
        nemesis.scene.history.took_effect("closed by the broker")
        _tell(nemesis, f"the broker closes {member.seat.what} of {member.line.name}")


def _slow_openings(nemesis: Nemesis, draw: random.Random) -> None:
    """Neither is anybody told how far a subscription is acknowledged."""
    answers = nemesis.scene.broker.answers
    before = answers.in_vain
    nemesis.faults.hold_openings()
    nemesis.faults.hold_cursors()

    def release() -> None:
        nemesis.faults.release_openings()
        nemesis.faults.release_cursors()
        if answers.in_vain > before:
            nemesis.scene.history.took_effect("slow openings")

    nemesis.agenda.after(draw.choice((0.1, 0.5, 1.0)), release)


def _cut(nemesis: Nemesis, draw: random.Random) -> None:
    """A worker loses the broker, the store, or both; perhaps another one takes over, perhaps it is never healed."""
    duration, delay = draw.choice((0.1, 0.5, 1.5, 3.0)), draw.uniform(0.0, 1.5)
    takeover, for_good = draw.random() < 0.5, draw.random() < 0.15  # noqa: PLR2004
    lost = draw.choice(("the broker", "the broker", "the store", "broker and store"))
    process = nemesis.fleet.some(draw)
    if process is None or process.bus.offline or process.store.cut:
        return
    if for_good and nemesis.leave_behind(process, delay):
        _sever(process, "broker and store")
        _tell(nemesis, f"{process.name} is cut off from broker and store for good")
    else:
        _sever(process, lost)
        _tell(nemesis, f"{process.name} is cut off from {lost} for {duration} s")
        nemesis.agenda.after(duration, lambda: _mend(process))
        if takeover and delay < duration:
            nemesis.scene.history.meet("a worker was replaced while it was cut off")
            nemesis.fleet.replace(process, delay)
            nemesis.agenda.after(duration + 2.0, lambda: nemesis.fleet.kill(process))
    nemesis.scene.history.took_effect("cut")


def _sever(process: Process, lost: str) -> None:
    if "broker" in lost:
        process.bus.cut()
    process.store.cut = "store" in lost


def _mend(process: Process) -> None:
    if process.bus.offline:
        process.bus.heal()
    process.store.cut = False


def _unknown_commit(nemesis: Nemesis, draw: random.Random) -> None:
    nemesis.scene.weather.fates.append(draw.choice((HAPPENED, LOST, LATE, draw.choice(TORN))))


def _unknown_take(nemesis: Nemesis, draw: random.Random) -> None:
    nemesis.scene.weather.take_fates.append(draw.choice((HAPPENED, LOST)))


def _store_away(nemesis: Nemesis, draw: random.Random) -> None:
    weather, duration = nemesis.scene.weather, draw.choice((0.05, 0.3, 0.8, 2.0))
    weather.down = True
    _tell(nemesis, f"the store is away for {duration} s")

    def back() -> None:
        weather.down = False

    nemesis.agenda.after(duration, back)


def _rolling(nemesis: Nemesis, draw: random.Random) -> None:
    """A worker is told to leave, and another one starts; one that does not manage to leave is killed."""
    process = nemesis.fleet.some(draw)
    if process is None:
        return
    nemesis.scene.history.took_effect("rolling restart")
    _tell(nemesis, f"{process.name} is told to leave")
    nemesis.fleet.dismiss(process)
    nemesis.fleet.replace(process, draw.choice((0.0, 0.1, 0.4)))
    nemesis.agenda.after(3.0, lambda: nemesis.fleet.kill(process))


def _join(nemesis: Nemesis, draw: random.Random) -> None:  # noqa: ARG001 - a strike's signature
    """One more worker, which takes its share from the others."""
    if len(nemesis.fleet.wanted) < MOST_WORKERS:
        nemesis.scene.history.took_effect("join")
        _tell(nemesis, "one more worker is wanted")
        nemesis.fleet.launch()


def _leave(nemesis: Nemesis, draw: random.Random) -> None:
    """A worker is told to leave, and nobody comes in its place."""
    process = nemesis.fleet.some(draw)
    if process is None or len(nemesis.fleet.wanted) < 2:  # noqa: PLR2004 - somebody stays
        return
    nemesis.scene.history.took_effect("leave")
    _tell(nemesis, f"{process.name} is told to leave for good")
    nemesis.fleet.wanted.remove(process)
    nemesis.fleet.dismiss(process)
    nemesis.agenda.after(draw.choice((0.2, 1.0, 3.0)), lambda: nemesis.fleet.kill(process))


def _sender_cut(nemesis: Nemesis, draw: random.Random) -> None:
    bus = nemesis.sender.bus
    if bus.offline:
        return
    bus.cut()
    nemesis.scene.history.took_effect("sender cut")
    nemesis.agenda.after(draw.choice((0.1, 1.0)), bus.heal)


def _disk_full(nemesis: Nemesis, draw: random.Random) -> None:
    weather, duration = nemesis.scene.weather, draw.choice((0.05, 0.3, 1.0))
    weather.full = True
    _tell(nemesis, f"the store's disk is full for {duration} s")

    def room() -> None:
        weather.full = False

    nemesis.agenda.after(duration, room)


def _locked(nemesis: Nemesis, draw: random.Random) -> None:
    nemesis.scene.weather.locks = draw.randint(1, 4)


def _failed_call(nemesis: Nemesis, draw: random.Random) -> None:
    """One call of the store fails, in the midst of others that do not."""
    nemesis.scene.weather.calls_left = draw.randint(0, 25)


def _clock_jump(nemesis: Nemesis, draw: random.Random) -> None:
    """The store's clock is set, forward or back: time as the handlers see it must not run backwards."""
    jump = draw.choice((-30.0, -2.0, -0.3, 0.3, 2.0))
    nemesis.scene.store_clock.jump(micros(jump))
    nemesis.scene.weather.out_of_breath()
    nemesis.scene.history.took_effect("clock jump")
    nemesis.scene.history.meet("the store's clock was put back", jump < 0)
    _tell(nemesis, f"the store's clock jumps by {jump} s")


def _power_loss(nemesis: Nemesis, draw: random.Random) -> None:
    """Every process is gone at once, and the broker has forgotten its last acknowledgements."""
    nemesis.scene.history.took_effect("power loss")
    nemesis.scene.history.meet("everything lost its power at once")
    _tell(nemesis, "everything loses its power")
    for process in list(nemesis.fleet.alive):
        nemesis.fleet.kill(process)
    nemesis.scene.weather.lose_power()
    for topic in nemesis.scene.broker.topics():
        for partition in range(len(nemesis.scene.broker.topic(topic).partitions)):
            nemesis.faults.unload(topic, partition, forget_acks=draw.choice((0, 3, 20)))


def _tell(nemesis: Nemesis, what: str) -> None:
    nemesis.scene.history.tell(what, harm=True)


STRIKES: Mapping[str, Strike] = {
    "clock jump": _clock_jump,
    "closed by the broker": _closed,
    "crash": _crash,
    "cut": _cut,
    "disk full": _disk_full,
    "dropped partition": _dropped,
    "failed call": _failed_call,
    "freeze": _freeze,
    "join": _join,
    "leave": _leave,
    "locked store": _locked,
    "lost acks": _lost_acks,
    "lost receipts": _lost_receipts,
    "lost sends": _lost_sends,
    "moved partition": _moved,
    "power loss": _power_loss,
    "rewound subscription": _rewound,
    "rolling restart": _rolling,
    "sender cut": _sender_cut,
    "slow openings": _slow_openings,
    "slow sends": _slow_sends,
    "store away": _store_away,
    "unknown commit": _unknown_commit,
    "unknown take": _unknown_take,
}
"""What each kind does."""

GAPS: Mapping[str, float] = {
    "clock jump": 2.4,
    "closed by the broker": 1.0,
    "crash": 1.2,
    "cut": 2.4,
    "disk full": 2.4,
    "dropped partition": 1.8,
    "failed call": 0.3,
    "freeze": 1.8,
    "join": 1.8,
    "leave": 1.8,
    "locked store": 0.6,
    "lost acks": 0.48,
    "lost receipts": 0.48,
    "lost sends": 0.48,
    "moved partition": 0.9,
    "power loss": 3.0,
    "rewound subscription": 1.8,
    "rolling restart": 2.4,
    "sender cut": 1.8,
    "slow openings": 2.4,
    "slow sends": 1.8,
    "store away": 2.4,
    "unknown commit": 0.6,
    "unknown take": 1.8,
}
"""Mean seconds between two faults of a kind."""

IN_WAIT = frozenset(
    {
        *("crash", "freeze", "failed call", "locked store", "disk full", "store away"),
        *("unknown commit", "unknown take", "lost acks", "lost receipts", "lost sends", "slow openings", "slow sends"),
    }
)
"""Kinds that wait for whoever comes: when they strike, there is nothing new to be seen for anybody."""
