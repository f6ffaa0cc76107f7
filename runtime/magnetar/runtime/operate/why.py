"""Why a key stands where it stands: what keeps it, since when, what happens next by itself, what a person can do.

Every obstacle is looked for, by itself. They come in the order in which they have to end: the first keeps all others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from magnetar.runtime.identity import id_of, to_text
from magnetar.runtime.instant import micros, to_datetime
from magnetar.runtime.operate.decoding import Decoding
from magnetar.runtime.operate.keys import EffectReport, FailureReport, KeyReport, WaitingReport, show
from magnetar.runtime.operate.obstacle import Cause, Obstacle
from magnetar.runtime.operate.outside import crowded, outside
from magnetar.runtime.store.parking import Reason
from magnetar.runtime.worker.breaker import LeftAlone, read
from magnetar.runtime.worker.membership import Liveness

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from magnetar.runtime.instant import Instant
    from magnetar.runtime.operate.key_names import KeyName
    from magnetar.runtime.operate.keys import ParkedReport
    from magnetar.runtime.store.parking import DeadLetter
    from magnetar.runtime.store.requests import Pause, Request
    from magnetar.runtime.store.roster import Member
    from magnetar.runtime.store.views import Views

_LATELY = micros(Liveness().live)
_ORDER = list(Cause)


class Explanation(msgspec.Struct, frozen=True):
    """Why a key stands where it stands. `obstacles` come in the order of `Cause`; there is one at least.

    `blocking` is the message that all others of the key wait for, with its failed `attempts`; `behind` so many wait
    behind it in the store. `shard`, `owner` and `epoch` say who handles the key, and `effects` are what it asks of the
    outside and has no outcome of.
    """

    actor: str
    key: str
    seen: bool
    version: int
    obstacles: list[Obstacle]
    blocking: WaitingReport | None
    attempts: list[FailureReport]
    behind: int
    shard: str
    owner: str
    epoch: int
    effects: list[EffectReport] = []

    @property
    def cause(self) -> Cause:
        """The one that has to end first."""
        return self.obstacles[0].cause


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a key and its surroundings at `now`, by the store's clock.

    `letter` is the dead letter that the key is held by, `asked` what a person asked about the key last.
    """

    report: KeyReport
    owned_since: Instant
    members: Sequence[Member]
    pauses: Sequence[Pause]
    letter: DeadLetter | None
    asked: Request | None
    blocking: WaitingReport | None
    attempts: list[FailureReport]
    now: Instant


def why(views: Views, name: KeyName) -> Explanation:
    """Look, and explain. Raises as `keys.show` does."""
    return explain(look(views, name))


def look(views: Views, name: KeyName) -> Facts:
    """The facts of a key, of one moment after the other. Raises as `keys.show` does."""
    report = show(views, name)
    shard = next(row for row in views.shards() if row.shard == report.shard.name)
    held = report.parked.held_by if report.parked is not None and report.parked.reason == Reason.HELD else ""
    letter = views.letter(name.actor, id_of(held)) if held else None
    asked = views.requests_of(shard.shard, name.key, 1)
    blocking = _head(report.parked) if letter is None else _waiting(views, letter)
    return Facts(
        report=report,
        owned_since=shard.since,
        members=views.members(),
        pauses=[pause for pause in views.pauses() if pause.shard == shard.shard],
        letter=letter,
        asked=asked[0] if asked else None,
        blocking=blocking,
        attempts=[] if blocking is None else _attempts(views, name.actor, blocking.message_id),
        now=views.now(),
    )


def explain(facts: Facts) -> Explanation:
    """The explanation that the facts give. Pure."""
    report, parked = facts.report, facts.report.parked
    effects = outside(report.effects, _left_alone(facts), to_datetime(facts.now))
    found = [*_ownership(facts), *_pauses(facts), *_parking(facts), *_sending(report), *effects, *_timers(report)]
    waiting = 0 if parked is None else parked.waiting
    return Explanation(
        actor=report.actor,
        key=report.key,
        seen=report.seen,
        version=report.version,
        obstacles=sorted(found, key=lambda each: _ORDER.index(each.cause)) or [_nothing(report)],
        blocking=facts.blocking,
        attempts=facts.attempts,
        behind=waiting if facts.letter is not None else max(0, waiting - 1),
        shard=report.shard.name,
        owner=report.shard.owner,
        epoch=report.shard.epoch,
        effects=report.effects,
    )


# who handles the key


def _ownership(facts: Facts) -> Iterator[Obstacle]:
    """Nobody does, or somebody who does not hear the broker; or all is well."""
    owner, actor = facts.report.shard.owner, facts.report.actor
    seen = [member for member in facts.members if abs(facts.now - member.seen) < _LATELY and not member.leaving]
    deaf = [member for member in seen if abs(facts.now - member.heard) >= _LATELY]
    if seen and len(deaf) == len(seen):
        yield _unreachable("no worker hears the broker", deaf)
    elif any(member.worker == owner for member in deaf):
        own = [member for member in deaf if member.worker == owner]
        yield _unreachable(f"{owner}, who has {facts.report.shard.name}, does not hear the broker", own)
    elif owner not in {member.worker for member in seen}:
        serving = [member for member in seen if member not in deaf and member.serves(actor)]
        yield _ownerless(facts, len(serving))


def _left_alone(facts: Facts) -> Mapping[str, LeftAlone]:
    """The dependencies that the shard's owner does not call now, by its last heartbeat; one that is gone calls none."""
    owner = facts.report.shard.owner
    said = (each.left_alone for each in facts.members if each.worker == owner and abs(facts.now - each.seen) < _LATELY)
    return read(next(said, ""))


def _unreachable(what: str, deaf: Sequence[Member]) -> Obstacle:
    return Obstacle(
        Cause.BROKER,
        what,
        "it goes on as soon as a worker reaches the broker",
        since=to_datetime(max(member.heard for member in deaf)),
        remedies=["magnetar workers", "look after the broker: magnetar doctor"],
    )


def _ownerless(facts: Facts, serving: int) -> Obstacle:
    shard, actor = facts.report.shard, facts.report.actor
    last = next((member for member in facts.members if member.worker == shard.owner), None)
    what = f"{shard.owner}, who had {shard.name}, is gone" if shard.owner else f"nobody has {shard.name}"
    lost = facts.owned_since if last is None else last.seen
    since = to_datetime(lost) if lost else None
    if serving:
        then = f"another worker takes it within seconds: {serving} that serve {actor} are alive"
        return Obstacle(Cause.OWNERLESS, what, then, since, remedies=["magnetar shards --watch"])
    then, remedy = f"nothing: no worker that serves {actor} is alive", "start one: magnetar worker MODULE:APP"
    return Obstacle(Cause.OWNERLESS, what, then, since, remedies=[remedy, "magnetar workers"])


# what a person has stopped


def _pauses(facts: Facts) -> Iterator[Obstacle]:
    """The key itself, its first message's type, or all of its shard."""
    report, parked = facts.report, facts.report.parked
    name = f"{report.actor}/{report.key}"
    if parked is not None and parked.reason == Reason.PAUSED:
        said = f": {facts.asked.who}, {facts.asked.why}" if facts.asked is not None else ""
        yield _paused(f"{name} is paused{said}", parked.since, f"magnetar keys resume {name} --why …")
    types = {"", facts.blocking.type} if facts.blocking is not None else {""}
    for pause in facts.pauses:
        if pause.type in types:
            whole = f"--type {pause.type}" if pause.type else f"--actor {report.actor}"
            what = f"{pause.type or report.actor} is paused: {pause.who}, {pause.why}"
            yield _paused(what, to_datetime(pause.since), f"magnetar keys resume {whole} --why …")


def _paused(what: str, since: datetime, remedy: str) -> Obstacle:
    return Obstacle(Cause.PAUSED, what, "nothing, until a person resumes it", since, remedies=[remedy])


# what waits for the key


def _parking(facts: Facts) -> Iterator[Obstacle]:
    parked, name = facts.report.parked, f"{facts.report.actor}/{facts.report.key}"
    if parked is None or parked.reason in {Reason.PAUSED, Reason.STOPPED}:
        return
    if parked.reason == Reason.HELD:
        yield _held(parked, name, facts.letter)
    elif parked.reason == Reason.UNREAD:
        then = "it is tried again by a worker with other code"
        remedies = ["deploy code that reads and handles it", f"magnetar keys skip {name} --why …"]
        yield Obstacle(
            Cause.UNREAD,
            f"no code here can read or handle {_kind(facts.blocking)}",
            then,
            parked.since,
            remedies=remedies,
        )
    elif parked.reason == Reason.CROWDED:
        yield from crowded(parked, _left_alone(facts))
    elif parked.failures:
        yield _retried(parked, name, facts.blocking)
    else:
        yield Obstacle(
            Cause.GOING_ON, "what waited for it is being applied", "the next ones follow at once", parked.since
        )


def _held(parked: ParkedReport, name: str, letter: DeadLetter | None) -> Obstacle:
    what = (
        "a message of it died"
        if letter is None
        else f"{_simple(letter.type)} died: {letter.error}: {letter.error_text}"
    )
    remedies = [f"magnetar keys resume {name} --why … (go on without it)"]
    if letter is not None:
        remedies.insert(0, f"magnetar dlq replay --actor {letter.actor} --key {letter.key} (after the cause is mended)")
    return Obstacle(Cause.HELD, what, "nothing, until a person decides", parked.since, remedies=remedies)


def _retried(parked: ParkedReport, name: str, blocking: WaitingReport | None) -> Obstacle:
    times = "once" if parked.failures == 1 else f"{parked.failures} times"
    what = f"{_kind(blocking)} has failed {times}: {parked.error}: {parked.error_text}"
    remedies = [f"magnetar keys retry {name} --why …", f"magnetar keys skip {name} --why …"]
    return Obstacle(Cause.RETRY, what, "it is tried again", parked.since, parked.due, remedies)


# what the key itself waits for


def _sending(report: KeyReport) -> Iterator[Obstacle]:
    if report.unsent:
        what = f"{len(report.unsent)} of the messages it decided have no receipt of the broker yet"
        yield Obstacle(Cause.SENDING, what, "they are sent, in order", remedies=["magnetar shards"])


def _timers(report: KeyReport) -> Iterator[Obstacle]:
    if report.timers:
        first = min(report.timers, key=lambda timer: timer.due)
        yield Obstacle(Cause.TIMER, f"it waits for {first.name}, or for a message", f"{first.name} fires", at=first.due)


def _nothing(report: KeyReport) -> Obstacle:
    rest = "all that came for it is applied" if report.seen else "no message of it was ever applied"
    return Obstacle(Cause.NOTHING, rest, "what comes for it is applied at once")


# the message in front


def _head(parked: ParkedReport | None) -> WaitingReport | None:
    return parked.messages[0] if parked is not None and parked.messages else None


def _waiting(views: Views, letter: DeadLetter) -> WaitingReport:
    content = Decoding(views.schemas()).read(letter.body, letter.schema, letter.type)
    return WaitingReport(to_text(letter.message_id), letter.type, content, letter.source, to_datetime(letter.dead_at))


def _attempts(views: Views, actor: str, message_id: str) -> list[FailureReport]:
    rows = views.failures_of(actor, id_of(message_id))
    return [FailureReport(each.number, to_datetime(each.now), each.error, each.error_text) for each in rows]


def _kind(message: WaitingReport | None) -> str:
    return "its first message" if message is None or not message.type else _simple(message.type)


def _simple(type_: str) -> str:
    return type_.rpartition(".")[2] or "a message that could not be read"
