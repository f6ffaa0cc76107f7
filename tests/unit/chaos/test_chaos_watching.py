"""Whoever looks at a cluster, and what becomes of a run when nobody does any more."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from magnetar.chaos.playing.watching import Watch


class Blind(Watch):
    """Sees something twice, and then what it cannot read."""

    def _look(self) -> None:
        if self._looks == 2:
            raise ValueError("what is that?")
        self._tell("backlog/all", self._looks)


def test_who_cannot_go_on_says_so() -> None:
    """What was seen before stays; a run without its looks is told to be so."""
    stage: Any = SimpleNamespace(now=1.0, state="", waiting=3)
    watch = Blind(stage, "bus watch")
    watch.start()
    watch.join(20.0)
    assert not watch.is_alive()
    assert isinstance(watch.failure, ValueError)
    assert [sample.value for sample in watch.samples] == [0, 1]
