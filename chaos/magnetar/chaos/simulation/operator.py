"""A person at the operator's tools: asks for this and that while the faults last, and sets things right afterwards."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import msgspec

from magnetar.chaos.history import Requested
from magnetar.runtime.identity import mint, to_text
from magnetar.runtime.routing import partition_of
from magnetar.runtime.store.parking import Reason
from magnetar.runtime.store.requests import Request, RequestStatus, What
from magnetar.runtime.store.views import Which
from magnetar.runtime.worker.asked import LETTER, MOST, TYPE

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable

    from magnetar.chaos.simulation.agenda import Agenda
    from magnetar.chaos.simulation.chance import Chance
    from magnetar.chaos.simulation.letters import Act
    from magnetar.chaos.simulation.process import Scene
    from magnetar.runtime.store.parking import DeadLetter

    Wrong = tuple[str, str, str, dict[str, str]]

ACTOR = "desks"
DEEDS = (
    *(What.PAUSE, What.PAUSE, What.RESUME, What.RETRY, What.RETRY, What.SKIP, What.PAUSE_ALL, What.RESUME_ALL),
    *(What.DISCARD, What.REPLAY, What.REPLAY, What.REPLAY),
)
"""What somebody may do; some of it more often."""

POISONED = "d-0"
"""The desk for which poison comes."""

AGAIN = 0.5
"""Seconds between two looks at what is to be set right."""

MOST_REPLAYS = 2
"""So often a letter is replayed when all is healed."""


class Operator:
    """Inserts requests, and reads. Its own way to the store is never cut, for nobody but it would notice."""

    def __init__(self, scene: Scene, agenda: Agenda, chance: Chance) -> None:
        self._scene = scene
        self._agenda = agenda
        self._chance = chance
        self._asked: list[bytes] = []
        self._planned = 0
        self._seen = -1
        self._left: list[Wrong] | None = None

    @property
    def busy(self) -> bool:
        """Whether anything that was asked is not answered, or is still to be set right."""
        return bool(self._planned) or self._to_do() != []

    def plan(self, acts: Iterable[Act]) -> None:
        """Put them on the agenda."""
        for act in acts:
            self._planned += 1
            self._agenda.after(act.at, partial(self._do, act))

    def tidy_up(self) -> None:
        """From now on: resume whatever is paused, and replay what died, until nothing is left to do."""
        if not self._planned:
            for what, shard, key, arguments in self._to_do() or ():
                self.ask(what, shard, key, **arguments)
        self._agenda.aside(AGAIN, self.tidy_up)

    def _do(self, act: Act) -> None:
        self._planned -= 1
        draw = self._chance.stream("act", act.number)
        if act.what in {What.DISCARD, What.REPLAY}:
            self._about_letter(act.what, draw)
        elif act.what in {What.PAUSE_ALL, What.RESUME_ALL}:
            shard = f"{ACTOR}/{draw.randrange(self._scene.options.partitions)}"
            type_ = draw.choice(("Note", "Ring", ""))
            self.ask(act.what, shard, "", **({TYPE: type_} if type_ else {}))
        else:
            self._about_key(act.what, draw)

    def _about_letter(self, what: str, draw: random.Random) -> None:
        letters = self._letters()
        if not letters:
            self._about_key(What.RETRY, draw)
            return
        letter = draw.choice(letters)
        self.ask(what, letter.shard, letter.key, **{LETTER: to_text(letter.message_id)})

    def _letters(self) -> list[DeadLetter]:
        return sorted(self._scene.views.letters(Which(actor=ACTOR)))

    def _about_key(self, what: str, draw: random.Random) -> None:
        """Mostly one that waits, where that is what it is about; nobody saves poison from its death."""
        keys = self._scene.views.keys_parked(ACTOR)
        parked = sorted(
            key.key for key in keys if what != What.SKIP or key.key != POISONED or key.reason == Reason.HELD
        )
        key = f"d-{draw.randrange(1 if what == What.SKIP else 0, self._scene.options.orders)}"
        if parked and what != What.PAUSE:
            key = draw.choice(parked)
        self.ask_about(what, key)

    def ask_about(self, what: str, key: str) -> None:
        """Something is to be done with a desk."""
        self.ask(what, f"{ACTOR}/{partition_of(key, self._scene.options.partitions)}", key)

    def ask(self, what: str, shard: str, key: str, **arguments: str) -> None:
        """Insert a request."""
        now = self._scene.clock()
        number = len(self._asked)
        request_id = mint(now, lambda size: number.to_bytes(size, "big"))
        self._asked.append(request_id)
        about = msgspec.json.encode(arguments).decode()
        asked = RequestStatus.ASKED.value
        request = Request(request_id, shard, what, key, about, "somebody", "chance", 0, asked, "", None, None)
        history = self._scene.history
        history.append(Requested(now, request_id, shard, history.epochs.get(shard, 0)))
        history.tell(f"somebody asks {shard} to {what} {key} {about}")
        self._scene.weather.writes += 1
        self._scene.database.requests().ask([request])

    def _to_do(self) -> list[Wrong] | None:
        """What is to be set right; None while an answer is to come. Only another write can change that."""
        writes = self._scene.weather.writes
        if self._seen != writes:
            self._seen, self._left = writes, None if self._waiting() else self._wrongs()
        return self._left

    def _waiting(self) -> bool:
        """A restored backup may have taken the request itself away: nobody waits for that any more."""
        return any(each.status == RequestStatus.ASKED for each in self._scene.views.requests(self._asked))

    def _wrongs(self) -> list[Wrong]:
        """What is to be set right when all is healed."""
        views = self._scene.views
        if not self._asked:
            return []
        pauses: list[Wrong] = [
            (What.RESUME_ALL, pause.shard, "", {TYPE: pause.type} if pause.type else {}) for pause in views.pauses()
        ]
        keys = [
            (What.RESUME, key.shard, key.key, dict[str, str]()) for key in views.keys_parked(ACTOR, Reason.PAUSED.value)
        ]
        letters = [
            (What.REPLAY, each.shard, each.key, {LETTER: to_text(each.message_id), MOST: str(MOST_REPLAYS)})
            for each in self._letters()
            if each.replays < MOST_REPLAYS and not each.crashes and self._may_be_replayed(each)
        ]
        return [*pauses, *keys, *letters]

    def _may_be_replayed(self, letter: DeadLetter) -> bool:
        key = self._scene.views.parked_key(letter.actor, letter.key)
        return key is None or (key.reason == Reason.HELD and key.held_by == to_text(letter.message_id))
