"""The provider of a run: a process that is killed, and behaves badly from its first question to its last."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from magnetar.actors.providing.emulator.process import ProviderProcess
from magnetar.chaos.paying.plan import conduct

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from magnetar.actors.providing.emulator.book import Entry


class Outsider:
    """Up for a block, and gone after it. `kills`: how often it was killed. Raises what `ProviderProcess` raises."""

    def __init__(self, log: Path, seed: int) -> None:
        """Starts it; what it does is in `log`."""
        self.kills = 0
        self._seed = seed
        self.log = log
        self._process = ProviderProcess(log)
        self._behave()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.stop()

    @property
    def url(self) -> str:
        """Where it is, in every life."""
        return self._process.url

    def kill(self, away: float) -> None:
        """SIGKILL; so many seconds later it is there again, with its log."""
        self._process.kill()
        self.kills += 1
        time.sleep(away)
        self._process.start()
        self._behave()

    def entries(self) -> list[Entry]:
        """What it has done, by its own log."""
        return self._process.entries()

    def _behave(self) -> None:
        """As badly in each life, yet not the same: what it counts is forgotten with the process."""
        self._process.behave(conduct(self._seed, self.kills))
