"""What is struck, and when it is healed, on processes that only sleep: a killed one is down until it is healed."""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from magnetar.chaos.cluster.profile import SMALL
from magnetar.chaos.playing.striking import Striking, told
from magnetar.chaos.scenarios.spec import Kill

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from magnetar.chaos.cluster.profile import Node


@dataclass
class Sleeper:
    """See `Station`: a process that does nothing."""

    node: Node
    process: subprocess.Popen[bytes] | None = None

    def pids(self) -> Sequence[int]:
        """See `Station`."""
        return [] if self.process is None else [self.process.pid]

    def kill(self) -> None:
        """See `Station`."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None

    stop = kill

    def start(self) -> None:
        """See `Station`."""
        self.process = subprocess.Popen(["sleep", "60"])

    def lacks(self) -> str:
        """See `Station`."""
        return "" if self.process is not None else "it is down"


@dataclass
class Scene:
    """A ground and a stage in one, as far as striking asks them; no time is waited for."""

    profile = SMALL
    sleepers: dict[str, Sleeper]
    lines: list[str] = field(default_factory=list)
    seen: list[frozenset[str]] = field(default_factory=list)

    @property
    def ground(self) -> Scene:
        """It is its own."""
        return self

    @property
    def down(self) -> frozenset[str]:
        """Who does not answer now."""
        return frozenset(name for name, each in self.sleepers.items() if each.lacks())

    @property
    def now(self) -> float:
        """See `Stage`."""
        return time.monotonic()

    def seconds(self, instant: int) -> float:
        """See `Stage`."""
        return instant / 1e6

    @property
    def estate(self) -> Scene:
        """It is its own."""
        return self

    def require_process(self, pid: int, node: Node) -> int:
        """See `Estate`: all of them are ours."""
        assert pid in self.station(node).pids()
        return pid

    def station(self, node: Node) -> Sleeper:
        """See `Ground`."""
        return self.sleepers[node.name]

    def tell(self, what: str) -> None:
        """See `Stage`."""
        self.lines.append(what)

    def wait(self, _: float, check: Callable[[], object]) -> None:
        """See `Stage`; who was down meanwhile is kept."""
        check()
        self.seen.append(self.down)


@pytest.fixture
def scene() -> Generator[Scene]:
    """All sleep."""
    made = Scene({node.name: Sleeper(node) for node in SMALL.nodes})
    for each in made.sleepers.values():
        each.start()
    yield made
    for each in made.sleepers.values():
        each.kill()


def kill(name: str, at: float, **more: object) -> Kill:
    """A deed."""
    return Kill.model_validate({"do": "kill", "who": {"named": [name]}, "at": at, **more})


def striking(scene: Scene, deeds: Sequence[Kill], check: Callable[[], object] = lambda: None) -> Striking:
    """On the scene."""
    stage: Any = scene
    return Striking(stage, deeds, check)


def test_what_stays_is_down_when_all_else_is_healed_and_until_it_is_told(scene: Scene) -> None:
    """Its record says so, and something must succeed while it is away, since the cluster is made to bear that."""
    acts = striking(scene, [kill("worker-1", 1, stays=True), kill("bookie-1", 2, **{"for": 3})])
    acts.play()
    assert scene.seen[-1] == {"worker-1", "bookie-1"}
    assert scene.down == {"worker-1"}
    assert acts.healing is not None
    stays, passes = (told(each, acts.stage) for each in acts.dealt)
    assert (stays.stays, stays.required, stays.heal, stays.healed) == (True, True, None, None)
    assert (passes.stays, passes.healed is not None) == (False, True)
    acts.heal()
    assert not scene.down
    assert told(acts.dealt[0], acts.stage).healed is not None


def test_whatever_ends_it_early_heals_what_stays_too(scene: Scene) -> None:
    """And raises it again."""

    def check() -> None:
        if scene.down >= {"worker-1", "bookie-1"}:
            raise RuntimeError("customers are gone")

    acts = striking(scene, [kill("worker-1", 1, stays=True), kill("bookie-1", 2, **{"for": 9})], check)
    with pytest.raises(RuntimeError, match="customers are gone"):
        acts.play()
    assert not scene.down
    assert all(each.blow is not None and each.blow.proven for each in acts.dealt)


def test_what_is_borne_alone_is_not_asked_of_the_cluster_when_more_comes(scene: Scene) -> None:
    """A worker can be spared; both cannot, and then nothing need succeed while either is away."""
    acts = striking(
        scene, [kill("worker-1", 1, **{"for": 6}), kill("worker-2", 2, **{"for": 3}), kill("broker-1", 8, **{"for": 1})]
    )
    acts.play()
    found = [told(each, acts.stage) for each in acts.dealt]
    assert [each.inside_budget for each in found] == [False, False, True]
    assert [each.required for each in found] == [False, False, True]
