"""Closings that wait no longer than they may."""

from __future__ import annotations

import logging
import time
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

from magnetar.runtime.bus.pulsar import errors, native

if TYPE_CHECKING:
    from collections.abc import Sequence

    from magnetar.runtime.bus.pulsar.native import Closable, NativeClient, NativeResult

_log = logging.getLogger(__name__)


class Farewell:
    """Closes the client's objects, each within a bounded time, and all of them together too.

    While one close is unanswered, the broker is taken to be silent and the next ones do not wait: a worker that
    lets sixteen shards go in front of a frozen broker must not stand still for sixteen time-outs.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._unanswered: SimpleQueue[NativeResult] | None = None

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
        try:
            answer.get(timeout=self._patience if self._answering() else 0)
        except Empty:
            self._unanswered = answer
            return False
        return True

    def _answering(self) -> bool:
        return self._unanswered is None or not self._unanswered.empty()


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
