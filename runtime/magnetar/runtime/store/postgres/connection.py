"""One connection: calls go out together and are answered together, in one round trip and within a deadline.

The driver's lowest layer is used, because only there nothing waits without a limit, and it is known what was sent when
a connection is lost. Calls are prepared once a connection; parameters and answers are binary.
"""

# The driver's own types say less than it does.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import contextlib
import itertools
import select
import time
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import psycopg
from psycopg import pq
from psycopg.adapt import AdaptersMap, Loader, Transformer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg.abc import Buffer
    from psycopg.pq.abc import PGconn, PGresult

    from magnetar.runtime.store.postgres.packing import Packed

Rows: TypeAlias = "list[tuple[Any, ...]]"
_UNREAD = 8
"""How often what came unasked is read before a call: notices, a last word, the end of the connection."""


class Call(NamedTuple):
    """A statement and its parameters, binary as its casts say."""

    statement: str
    values: Sequence[Packed] = ()


class Lost(Exception):
    """The connection is gone, or the server was silent until the deadline: it has been dropped.

    `sent`: the calls were handed to the connection; any of them may have happened, unless `failed`: the server had
    refused one before, and so has done none of those after it.
    """

    def __init__(self, said: str, *, sent: bool = False, failed: bool = False) -> None:
        super().__init__(" ".join(said.split()))  # libpq's texts are several lines
        self.sent = sent
        self.failed = failed


class Refused(Exception):
    """The server refused the call of that index, and did none of those after it."""

    def __init__(self, index: int, code: str, said: str) -> None:
        super().__init__(f"{said} ({code})")
        self.index = index
        self.code = code


class _BytesOfUuid(Loader):
    """A UUID as its 16 bytes: what they mean is the engine's business."""

    format = pq.Format.BINARY

    def load(self, data: Buffer) -> bytes:
        return bytes(data)


_ADAPTERS = AdaptersMap(psycopg.adapters)
_ADAPTERS.register_loader("uuid", _BytesOfUuid)


class Connection:
    """A connection of one thread. Instants of the deadlines are of the monotonic clock, in seconds."""

    def __init__(self, conninfo: str, deadline: float) -> None:
        """Connect. Raises `Lost`."""
        self._prepared: dict[str, bytes] = {}
        self._names = itertools.count()
        self._transformer = Transformer(_ADAPTERS)
        self._poll = select.poll()
        self._pgconn: PGconn = pq.PGconn.connect_start(conninfo.encode())
        try:
            self._connect(deadline)
            self._pgconn.nonblocking = 1
            self._pgconn.enter_pipeline_mode()
        except BaseException:
            self.close()
            raise

    @property
    def usable(self) -> bool:
        """Whether it has not been lost, as far as is known without a look."""
        return self._pgconn.status == pq.ConnStatus.OK

    def still_there(self) -> bool:
        """Whether the server's end is open, as far as is known without asking: read what came since the last call.

        So an end is found before anything is sent, when nothing can have happened.
        """
        try:
            for _ in range(_UNREAD):
                if not self.usable or not self._wait(select.POLLIN, None):
                    break
                self._pgconn.consume_input()
        except psycopg.Error:
            self.close()
        return self.usable

    def close(self) -> None:
        """Close; what is open on it is rolled back. Closing twice is harmless."""
        self._pgconn.finish()

    def exchange(self, calls: Sequence[Call], deadline: float) -> list[Rows]:
        """The rows of each call. Raises `Refused` for the first one refused, or `Lost`."""
        kinds: list[int | None] = []
        answers: list[PGresult] = []
        try:
            self._queue(calls, kinds)
            self._converse(answers, deadline)
        except (psycopg.Error, Lost) as error:
            self._read_last_words(answers)
            self.close()
            last = len(calls) - 1
            failed = any(kind != last and _code(answer) for kind, answer in zip(kinds, answers, strict=False))
            said = next((str(_refused(0, answer)) for answer in answers if _code(answer)), str(error))
            raise Lost(said, sent=last in kinds, failed=failed) from error
        except BaseException:  # whatever it is, the next call must not get this one's answers
            self.close()
            raise
        return self._sorted_out(calls, kinds, answers)

    def script(self, text: str, deadline: float) -> None:
        """Run statements without parameters or answers. Raises `Refused` with index 0, or `Lost`."""
        answers: list[PGresult] = []
        try:
            self._pgconn.exit_pipeline_mode()
            self._pgconn.send_query(text.encode())
            self._converse(answers, deadline)
            self._pgconn.enter_pipeline_mode()
        except (psycopg.Error, Lost) as error:
            self.close()
            raise Lost(str(error), sent=True) from error
        for answer in answers:
            if answer.status == pq.ExecStatus.FATAL_ERROR:
                raise _refused(0, answer)

    def _connect(self, deadline: float) -> None:
        while (status := self._pgconn.connect_poll()) != pq.PollingStatus.OK:
            if status == pq.PollingStatus.FAILED:
                raise Lost(self._pgconn.get_error_message())
            self._wait(select.POLLIN if status == pq.PollingStatus.READING else select.POLLOUT, deadline)

    def _queue(self, calls: Sequence[Call], kinds: list[int | None]) -> None:
        """Hand the calls over; `kinds` gets the index of each answer's call, or None for a preparation."""
        for index, (statement, values) in enumerate(calls):
            name = self._prepared.get(statement)
            if name is None:
                name = self._prepared[statement] = b"s%d" % next(self._names)
                self._pgconn.send_prepare(name, statement.encode())
                kinds.append(None)
            kinds.append(index)  # before: a call that fails half-way may have reached the server
            formats = [pq.Format.BINARY] * len(values)
            self._pgconn.send_query_prepared(name, values, formats, pq.Format.BINARY)
        self._pgconn.pipeline_sync()

    def _converse(self, answers: list[PGresult], deadline: float) -> None:
        """Send what is queued, and collect answers until the server waits for more."""
        connection = self._pgconn
        unsent = connection.flush()
        while True:
            if self._collect(answers):
                return
            came = self._wait(select.POLLIN | select.POLLOUT if unsent else select.POLLIN, deadline)
            if came & ~select.POLLOUT:
                connection.consume_input()
            if unsent:
                unsent = connection.flush()

    def _collect(self, answers: list[PGresult]) -> bool:
        """Take the answers that are there; True once they are complete."""
        connection = self._pgconn
        gaps = 0
        while not connection.is_busy():
            answer = connection.get_result()
            if answer is not None:
                gaps = 0
                if answer.status == pq.ExecStatus.PIPELINE_SYNC:
                    return True
                answers.append(answer)
                continue
            if connection.pipeline_status == pq.PipelineStatus.OFF:
                return True
            gaps += 1
            if gaps > 1:  # one stands after each call's answer
                return False
        return False

    def _read_last_words(self, answers: list[PGresult]) -> None:
        """What the server said before it went."""
        with contextlib.suppress(psycopg.Error):
            self._collect(answers)

    def _wait(self, events: int, deadline: float | None) -> int:
        """The events that came; without a deadline only a look. Raises `Lost` when time is up."""
        socket = self._pgconn.socket
        self._poll.register(socket, events)
        try:
            left = 0.0 if deadline is None else deadline - time.monotonic()
            came = self._poll.poll(max(0.0, left * 1000))
        finally:
            self._poll.unregister(socket)
        if not came and deadline is not None:
            raise Lost("no answer in time")
        return came[0][1] if came else 0

    def _sorted_out(self, calls: Sequence[Call], kinds: list[int | None], answers: list[PGresult]) -> list[Rows]:
        found: list[Rows] = []
        for kind, answer in zip(kinds, answers, strict=True):
            if answer.status == pq.ExecStatus.FATAL_ERROR:
                self._forget_unprepared(calls, kinds, answers)
                raise _refused(len(found), answer)
            if kind is not None:
                found.append(self._rows(answer))
        return found

    def _forget_unprepared(
        self, calls: Sequence[Call], kinds: Sequence[int | None], answers: Sequence[PGresult]
    ) -> None:
        """After a refusal nothing was prepared for the calls behind it, and perhaps not for that one."""
        for place, (kind, answer) in enumerate(zip(kinds, answers, strict=True)):
            if kind is None and answer.status != pq.ExecStatus.COMMAND_OK:
                index = kinds[place + 1]
                assert index is not None
                del self._prepared[calls[index].statement]

    def _rows(self, answer: PGresult) -> Rows:
        if answer.status != pq.ExecStatus.TUPLES_OK:
            return []
        self._transformer.set_pgresult(answer)
        return self._transformer.load_rows(0, answer.ntuples, tuple)


def _refused(index: int, answer: PGresult) -> Refused:
    said = answer.error_field(pq.DiagnosticField.MESSAGE_PRIMARY) or answer.error_message.strip()
    return Refused(index, _code(answer).decode(), said.decode(errors="replace"))


def _code(answer: PGresult) -> bytes:
    """The SQLSTATE of an error that the server sent; empty for an answer, and for an error that our side made up."""
    if answer.status != pq.ExecStatus.FATAL_ERROR:
        return b""
    return answer.error_field(pq.DiagnosticField.SQLSTATE) or b""
