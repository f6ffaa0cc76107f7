"""Closings that wait no longer than they may."""

from __future__ import annotations

import logging
import time
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

from magnetar.runtime.bus.pulsar import errors, native

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from magnetar.runtime.bus.pulsar.native import Closable, NativeClient, NativeResult

_log = logging.getLogger(__name__)

_REST = 5
"""So many times its patience, a farewell does not wait after one that was not answered."""


class Farewell:
    """Closes the client's objects, each within a bounded time, and all of them together too.

    When one close was waited for in vain, a broker is taken to be silent, and the next ones do not wait, for as long
    as five times that wait or until the broker has answered it after all: a worker that lets sixteen shards go in front
    of a frozen broker must not stand still for sixteen time-outs. That the client gives the close up is no answer, and
    nor is another broker's to another close: in between, one after the other would be waited for. And none waits while
    it is known already that a broker is silent.
    """

    def __init__(
        self, patience: float, clock: Callable[[], float] = time.monotonic, silent: Callable[[], bool] = bool
    ) -> None:
        """`patience`, and what `clock` tells, are seconds; `silent`: whether it is known that a broker is."""
        self._patience = patience
        self._silent = silent
        self._clock = clock
        self._unanswered: SimpleQueue[NativeResult] | None = None
        self._rests_until = 0.0

    def close(self, thing: Closable) -> bool:
        """Close; whether the broker answered. In either case the client has let go: it neither sends nor delivers."""
        return self.finish(self.begin(thing))

    def begin(self, thing: Closable) -> SimpleQueue[NativeResult]:
        """Ask the client to close it; the broker's answer comes there. The client lets go in this very call."""
        answer: SimpleQueue[NativeResult] = SimpleQueue()
        thing.close_async(answer.put)
        return answer

    def finish(self, answer: SimpleQueue[NativeResult]) -> bool:
        """Wait for the answer to a close that was begun; whether it came."""
        waits = self._answering()
        try:
            answer.get(timeout=self._patience if waits else 0)
        except Empty:
            if waits:
                self._unanswered, self._rests_until = answer, self._clock() + _REST * self._patience
            return False
        return True

    def _answering(self) -> bool:
        if self._unanswered is not None and (self._clock() >= self._rests_until or _is_ok(self._unanswered)):
            self._unanswered = None
        return self._unanswered is None and not self._silent()


def _is_ok(answer: SimpleQueue[NativeResult]) -> bool:
    try:
        return answer.get_nowait().name == "Ok"
    except Empty:
        return False


def close_clients(clients: Sequence[NativeClient], within: float) -> bool:
    """Close whole clients at once, in threads of their own; whether all were closed within so many seconds.

    Not by `close_async`: the client drops such a callback in a thread of its own after having called it, for which
    it needs the interpreter; a process that exits at that moment is aborted (seen in every second try). The same
    befalls a blocking call that outlives the interpreter, so the threads are no daemons: an exit waits for them,
    which is as long as the client's operation time-out when the broker does not answer.
    """
    threads = [Thread(target=_close, args=(client,), name="pulsar-close") for client in clients]
    for thread in threads:
        thread.start()
    until = time.monotonic() + within
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    return not any(thread.is_alive() for thread in threads)


def _close(client: NativeClient) -> None:
    try:
        client.close()
    except native.PulsarException as failure:
        _log.warning("closing a client: %s", errors.from_exception(failure, "close"))
