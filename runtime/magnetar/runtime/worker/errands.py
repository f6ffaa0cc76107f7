"""What the keys of one shard ask of the outside, as it is committed, and what is to be committed next of it (R29).

Data only: the effects machine puts in, a turn takes out, and a commit moves on.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from magnetar.runtime.store.effects import EffectState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from magnetar.runtime.store.effects import EffectChanges, EffectMove, EffectRow
    from magnetar.runtime.worker.answers import Told


@dataclass(slots=True)
class Errands:
    """A shard's effects by their ids. `rows`, and what follows from them, change after a commit only (R7).

    `counts`: how many there are by dependency. `moves` and `told` wait for a turn. `to_wait` and `to_call` are news for
    the machine: what is to be asked when it is due, and attempts that were committed and are to be made now.

    `over`: effects whose outcome is known here and is about to be committed. `resolved`: of so many attempts that the
    row takes for doubtful it is known that they did nothing. `suspects`: effects whose outcome may have been in hand
    when the last owner was lost: it goes alone (R25).
    """

    rows: dict[bytes, EffectRow] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    moves: deque[EffectMove] = field(default_factory=deque)
    told: deque[Told] = field(default_factory=deque)
    to_wait: deque[EffectRow] = field(default_factory=deque)
    to_call: deque[EffectRow] = field(default_factory=deque)
    over: set[bytes] = field(default_factory=set)
    resolved: Counter[bytes] = field(default_factory=Counter)
    suspects: set[bytes] = field(default_factory=set)

    @property
    def quiet(self) -> bool:
        """Whether nothing is to be committed or called now."""
        return not (self.moves or self.told or self.to_wait or self.to_call or self.over)

    def load(self, rows: Iterable[EffectRow], *, careful: bool = False) -> None:
        """Know what the store says on taking the shard. An open attempt was another tenure's: it is waited for.

        `careful`: nobody knows what the last owner has ended of.
        """
        for row in rows:
            self._keep(row)
            self.to_wait.append(row)
            if careful and row.attempts:
                self.suspects.add(row.effect_id)

    def follow(self, group: EffectChanges) -> None:
        """What a committed group has made of them."""
        for row in group.asked:
            self._keep(row)
            self.to_wait.append(row)
        for row, _ in group.moved:
            self.rows[row.effect_id] = row
            (self.to_call if row.state == EffectState.OPEN else self.to_wait).append(row)
        for _, effect_id in group.closed:
            row = self.rows.pop(effect_id)
            self.counts[row.dependency] -= 1
            self.over.discard(effect_id)
            self.resolved.pop(effect_id, None)
            self.suspects.discard(effect_id)

    def take_moves(self, room: int) -> list[EffectMove]:
        """Up to so many, but for those of effects that were closed meanwhile."""
        taken: list[EffectMove] = []
        while self.moves and len(taken) < room:
            move = self.moves.popleft()
            if move.row.effect_id in self.rows:
                taken.append(move)
        return taken

    def take_told(self, room: int) -> list[Told]:
        """Up to so many outcomes."""
        return [self.told.popleft() for _ in range(min(room, len(self.told)))]

    def doubtful(self, row: EffectRow) -> int:
        """How many attempts may have been done, as far as is known now."""
        return row.doubtful - self.resolved[row.effect_id]

    def waits(self, row: EffectRow) -> bool:
        """Whether the effect is as this row says, and without an outcome."""
        return self.rows.get(row.effect_id) is row and row.effect_id not in self.over

    def _keep(self, row: EffectRow) -> None:
        self.rows[row.effect_id] = row
        self.counts[row.dependency] += 1
