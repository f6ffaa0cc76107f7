"""One thread for questions to the broker that may block: the loop asks, goes on, and looks at the answer later."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Asking:
    """Runs questions one after another in a daemon thread. A question keeps its own answer and errors."""

    def __init__(self) -> None:
        """Start the thread."""
        self._questions: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="magnetar-asking", daemon=True)
        self._thread.start()

    def ask(self, question: Callable[[], None]) -> None:
        """Run it soon. Any thread; never blocks."""
        self._questions.put(question)

    def close(self) -> None:
        """Let the thread end after the question in hand."""
        self._questions.put(None)

    def _run(self) -> None:
        while (question := self._questions.get()) is not None:
            question()
