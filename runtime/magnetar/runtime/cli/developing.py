"""`magnetar dev`: broker, store, worker and reload in one process, and a line of input for every message.

The code is imported anew within the process; the process is not restarted, for the broker and a store in memory
would go with it: the message on which a handler raised must still be there when the handler is mended. All of the
app's modules are forgotten at once, so no two of them can disagree; what an import did outside of its modules (a
thread, a connection) stays. A handler that never returns ends the process, as it does a worker's (R28).
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from magnetar.runtime.bus.port import BusError
from magnetar.runtime.cli import key_pictures, logs, screen
from magnetar.runtime.cli.apps import MOST_JSON
from magnetar.runtime.cli.dev_pictures import Lines, Pretty, changed
from magnetar.runtime.cli.dev_session import Session
from magnetar.runtime.cli.exits import BadInput, Exit
from magnetar.runtime.cli.options import MEMORY, AsJson, Target
from magnetar.runtime.cli.watching import Sources, forget
from magnetar.runtime.compose.errors import AppNotFound, UnknownPlace, WorkerFailed
from magnetar.runtime.compose.places import store_place
from magnetar.runtime.errors import MagnetarError
from magnetar.runtime.operate import keys
from magnetar.runtime.operate.key_names import KeyName
from magnetar.runtime.store.port import StoreError
from magnetar.schemas import SchemaError

if TYPE_CHECKING:
    from magnetar.runtime.cli.dev_pictures import Speaker

_NOT_CODE = (AppNotFound, UnknownPlace, BusError, StoreError)
_TICK = 0.05
_LOOK = 0.3
_PAUSE = 2.0
_REST = 60.0
_HELP = """\
TYPE JSON           send a message:  Place {"order_id": "o-1"}
show ACTOR/KEY      what a key is now
timeline ACTOR/KEY  what came for it, and what it did
help                this;  Ctrl-D or Ctrl-C leaves"""


def dev(
    target: Target,
    store: Annotated[
        str, typer.Option(metavar="URL", help="memory:, or sqlite:///dev.db to keep states between sessions.")
    ] = MEMORY,
    reads: Annotated[
        bool, typer.Option("--input/--no-input", help="Read messages from stdin, and leave at its end.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Run an app in this process, with a broker of its own, and start it anew whenever its code changes.

    Each line of input is a message, and each message that is applied is printed with what it did. When a handler
    raises, mend it and save: the message is handled again by the new code. One that raises a TemporaryError or a
    PermanentError means it: the message is parked, or is a dead letter, as in a worker. Broker and store live as long
    as this process and through every reload. With --store sqlite:///dev.db states, journal and timers stay for the next
    session, but what was published and not applied when it ends is gone: it is told then.

    With input from a pipe it ends when all of it is applied; exit status 1: a line was refused, or a handler raised.

        $ magnetar dev shop:app
        Place {"order_id": "o-1"}
        timeline orders/o-1

        $ echo 'Place {"order_id": "o-1"}' | magnetar dev shop:app --json
    """
    sys.dont_write_bytecode = True  # a file changed twice within a second must not be taken for its cached bytecode
    logs.configure(as_json=as_json, besides=("magnetar.loop",))
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    root = Path.cwd()
    desk = Desk(Session(target, store_place(store)), Lines() if as_json else Pretty(), root)
    try:
        desk.open(f"reloads when a file below {root} changes; bus in memory, store {store}; `help` helps")
        desk.work(Input(sys.stdin.fileno()) if reads else None)
    except KeyboardInterrupt:
        desk.close()
        return
    except BaseException:
        desk.close()
        raise
    desk.close()
    if desk.failed:
        raise typer.Exit(Exit.NO)


class Input:
    """Lines of a file descriptor, as they come."""

    def __init__(self, descriptor: int) -> None:
        """Read nothing yet."""
        self._descriptor = descriptor
        self._rest = b""
        self.ended = False

    def lines(self, seconds: float) -> list[str]:
        """Whole lines that are there within so many seconds; the last one may lack its end."""
        if self.ended or not select.select([self._descriptor], [], [], seconds)[0]:
            return []
        read = os.read(self._descriptor, 1 << 16)
        self.ended = not read
        *whole, self._rest = (self._rest + read).split(b"\n")
        if self.ended:
            whole.append(self._rest)
        if len(self._rest) > MOST_JSON:
            raise BadInput(f"a line of input has more than {MOST_JSON} bytes; no message can be that large")
        return [text for line in whole if (text := line.decode(errors="replace").strip())]


class Desk:
    """Where lines of input, changes of files and news of the worker come together."""

    def __init__(self, session: Session, speaker: Speaker, root: Path) -> None:
        """Looks at the files below `root`. `failed` tells, at the end, whether anything was refused or is left."""
        self._session = session
        self._speaker = speaker
        self._root = root
        self._sources = Sources(root)
        self._look_at = 0.0
        self._changed: list[Path] = []
        self.failed = False

    def open(self, greeting: str) -> None:
        """Run the app for the first time; one that is wrong may be mended while this runs. Raises what cannot be."""
        self._start(again=False)
        self._speaker.remark(greeting)

    def work(self, source: Input | None) -> None:
        """Go on until the input ends and all of it is applied, or for ever when there is none."""
        while source is None or not source.ended:
            if source is None:
                time.sleep(_TICK)
            for line in [] if source is None else source.lines(_TICK):
                self._take(line)
            self._tell()
            self._look()
        self.failed |= not self._session.rest(_REST)
        self._tell()

    def close(self) -> None:
        """Let the worker go, and say what is lost with the broker."""
        self._stop()
        self._tell()
        lost = self._session.backlog()
        if lost:
            self._speaker.remark(f"{lost} message(s) were published and not applied; they are gone with this process")

    def _start(self, *, again: bool) -> None:
        try:
            wiring = self._session.start()
        except Exception as error:
            if not again and isinstance(error, _NOT_CODE):
                raise
            self._speaker.wrong(error)  # the app's own code, which may be mended in a moment
        else:
            self._speaker.started(wiring, again=again)

    def _stop(self) -> None:
        try:
            self._session.stop()
        except WorkerFailed as error:
            self._speaker.wrong(error)

    def _tell(self) -> None:
        for news in self._session.news():
            self._speaker.applied(news)
        failure = self._session.failure()
        if failure is not None:
            self._speaker.wrong(failure)

    def _take(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        try:
            if word == "help":
                self._speaker.remark(_HELP)
            elif word in {"show", "timeline"} and "/" in rest:
                self._show(word, rest.strip())
            else:
                self._speaker.sent(self._session.send(word, rest or "{}"))
        except (MagnetarError, BusError, StoreError, SchemaError) as error:
            self.failed = True
            self._speaker.wrong(error)

    def _show(self, word: str, name: str) -> None:
        self._session.rest(_PAUSE)  # what was typed before should be seen
        self._tell()
        with self._session.views() as views:
            asked = KeyName.parse(name)
            report = keys.show(views, asked) if word == "show" else keys.timeline(views, asked, 100)
        if isinstance(self._speaker, Lines):
            screen.answer({"event": word, **keys.as_json(report)})
        elif isinstance(report, keys.KeyReport):
            screen.show(key_pictures.key_picture(report, datetime.now(UTC)))
        else:
            screen.show(key_pictures.timeline_picture(report, screen.width()))

    def _look(self) -> None:
        """Reload once the files have been still between two looks: an editor may write several."""
        if time.monotonic() < self._look_at:
            return
        self._look_at = time.monotonic() + _LOOK
        found = self._sources.changed()
        self._changed += found
        if self._changed and not found:
            self._speaker.remark(f"{changed(self._changed)}: starting the app anew")
            self._changed.clear()
            self._stop()
            self._tell()
            forget(self._root)
            self._start(again=True)
