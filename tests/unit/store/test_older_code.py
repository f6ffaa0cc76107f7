"""What version 0.1.0 may take on a store that newer code has worked on: its own statement, run on such a store."""

# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import apsw
import pytest

from magnetar.runtime.store.port import Taker
from magnetar.runtime.store.requests import Pause
from magnetar.runtime.store.sqlite import SqliteFile
from tests.contract.store.harness import ACTOR, OTHER, PARTITIONS, SHARD, Owner, epoch_of
from tests.contract.store.rows import parked_key

if TYPE_CHECKING:
    from magnetar.runtime.store.sqlite.store import SqliteStore

TAKE = "UPDATE shards SET epoch = epoch + 1, owner = ?3, clean = 0 WHERE shard = ?1 AND epoch = ?2 RETURNING epoch"
"""As 0.1.0 has it."""


class Scene:
    """A store, and code of 0.1.0 beside newer code."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.store: SqliteStore = SqliteFile(path).open()
        self.store.prepare({ACTOR: PARTITIONS}, [])

    def take_as_before(self, shard: str = SHARD) -> bool:
        """Whether 0.1.0 gets the shard."""
        connection = apsw.Connection(str(self._path))
        taken = list(connection.execute(TAKE, (shard, epoch_of(self.store, shard), "old")))
        connection.close()
        return bool(taken)

    def park(self) -> None:
        """A key of the shard is parked."""
        changes = (owner := Owner(self.store, SHARD)).changes()
        changes.to_park().parked_keys.append(parked_key())
        owner.commit(changes)

    def pause(self) -> None:
        """A person has paused the shard's actor."""
        changes = (owner := Owner(self.store, SHARD)).changes()
        changes.to_answer().paused.append(Pause(SHARD, "", "ann", "a test", 0))
        owner.commit(changes)

    def grow(self) -> None:
        """Code of a later generation has had it."""
        assert self.store.take(SHARD, epoch_of(self.store), Taker("newer", contracts=1)) is not None


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """Made by newer code, which has done nothing yet."""
    return Scene(tmp_path / "magnetar.db")


def test_what_newer_code_has_merely_owned_is_taken(scene: Scene) -> None:
    """A roll-back: 0.1.0 goes on, and newer code after it."""
    for name in ("one", "other"):
        Owner(scene.store, SHARD, name=name)
        assert scene.take_as_before()
        assert scene.take_as_before()


@pytest.mark.parametrize("done", [Scene.park, Scene.pause, Scene.grow], ids=["parked", "paused", "grown"])
def test_what_it_knows_nothing_of_keeps_it_off(scene: Scene, done: Callable[[Scene], None]) -> None:
    """The shard is as it was, any other is free, and newer code takes it as ever."""
    done(scene)
    before = epoch_of(scene.store)
    assert not scene.take_as_before()
    assert epoch_of(scene.store) == before
    assert scene.take_as_before(OTHER)
    for _ in range(2):
        assert scene.store.take(SHARD, epoch_of(scene.store), Taker("newer", contracts=1)) is not None
    assert not scene.take_as_before()
