"""What `magnetar dev` says, as lines: pretty ones for people, JSON for programs. Pure but for the printing."""

from __future__ import annotations

import json
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

import msgspec
from rich.padding import Padding
from rich.text import Text

from magnetar.runtime.cli import screen
from magnetar.runtime.cli.exits import last_word
from magnetar.runtime.cli.wording import clock, simple, span
from magnetar.runtime.errors import HandlerFailed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from magnetar.runtime.cli.dev_session import News, Sent
    from magnetar.runtime.wiring import Wiring

_FRAMEWORK = str(Path(__file__).parent.parent)
_FRAMES = 6


class Speaker(Protocol):
    """Whoever tells what goes on."""

    def started(self, wiring: Wiring, *, again: bool) -> None:
        """The app runs."""
        ...

    def applied(self, news: News) -> None:
        """A message was applied."""
        ...

    def sent(self, sent: Sent) -> None:
        """A message was published."""
        ...

    def wrong(self, error: BaseException) -> None:
        """Something failed."""
        ...

    def remark(self, text: str) -> None:
        """Anything else."""
        ...


class Lines:
    """One JSON object a line on stdout."""

    def started(self, wiring: Wiring, *, again: bool) -> None:
        """See `Speaker`."""
        screen.answer({"event": "reloaded" if again else "started", "app": wiring.app, "actors": list(wiring.actors)})

    def applied(self, news: News) -> None:
        """See `Speaker`."""
        screen.answer({"event": "applied", **msgspec.to_builtins(news)})

    def sent(self, sent: Sent) -> None:
        """See `Speaker`."""
        screen.answer({"event": "sent", **msgspec.to_builtins(sent)})

    def wrong(self, error: BaseException) -> None:
        """See `Speaker`."""
        screen.answer(
            {"event": "failed", "error": type(error).__name__, "message": last_word(error), "where": own_frames(error)}
        )

    def remark(self, text: str) -> None:
        """See `Speaker`: to stderr, for it is no event."""
        screen.tell(text)


class Pretty:
    """Lines for people."""

    def started(self, wiring: Wiring, *, again: bool) -> None:
        """See `Speaker`."""
        takes = sorted({kind.__name__ for topic in wiring.topics.values() for kind in topic.types if topic.takers})
        runs = Text.assemble(
            (wiring.app, "bold"), f" runs{' the new code' if again else ''}: {', '.join(wiring.actors)}"
        )
        screen.show(runs if again else Text.assemble(runs, f"\nit takes {', '.join(takes)}"))

    def applied(self, news: News) -> None:
        """See `Speaker`."""
        for number, line in enumerate(lines_of(news)):
            screen.show(Padding(line, (0, 0, 0, 4 if number else 0), expand=False))

    def sent(self, sent: Sent) -> None:
        """See `Speaker`: the line of its application says enough."""

    def wrong(self, error: BaseException) -> None:
        """See `Speaker`."""
        screen.show(Text(last_word(error), style="bold red"))
        for line in own_frames(error):
            screen.show(Text(f"    {line}"))

    def remark(self, text: str) -> None:
        """See `Speaker`."""
        screen.show(Text(text, style="dim"))


def lines_of(news: News) -> Iterator[Text]:
    """What came, what it did, and what the key is now."""
    told = news.message
    content = told.content.problem or _compact(told.content.value)
    disposition = "" if told.disposition == "applied" else f" {told.disposition}"
    yield Text.assemble(
        (clock(told.handled_at).partition(" ")[2], "dim"),
        (f"  {news.actor}/{news.key}", "bold"),
        f"  v{told.version}  ",
        (simple(told.type), "bold cyan"),
        (f"{disposition}  {content}", "dim"),
    )
    for row in told.sent:
        yield Text.assemble("sends ", (simple(row.type), "cyan"), f" to {row.to}/{row.key}")
    for name in told.cancelled:
        yield Text.assemble("cancels ", (name, "cyan"))
    for armed in told.armed:
        yield Text.assemble("arms ", (armed.name, "cyan"), f" in {span(armed.due - told.handled_at)}")
    if news.state is not None:
        yield Text.assemble("is now ", (news.state.problem or _compact(news.state.value), "green"))


def own_frames(error: BaseException) -> list[str]:
    """Where in the app's own code a handler raised, the innermost last; nothing for errors that tell it themselves."""
    cause = error.__cause__
    if not isinstance(error, HandlerFailed) or cause is None:
        return []
    frames = [frame for frame in traceback.extract_tb(cause.__traceback__) if not frame.filename.startswith(_FRAMEWORK)]
    return [f"{frame.filename}:{frame.lineno} in {frame.name}: {frame.line}" for frame in frames[-_FRAMES:]]


def changed(paths: Sequence[Path]) -> str:
    """Which files have changed, in words."""
    names = [path.name for path in paths]
    return f"{names[0]} has changed" if len(names) == 1 else f"{names[0]} and {len(names) - 1} more files have changed"


def _compact(value: Any) -> str:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value).items()
        return "  ".join(f"{name}={json.dumps(item, ensure_ascii=False)}" for name, item in fields)
    return json.dumps(value, ensure_ascii=False)
