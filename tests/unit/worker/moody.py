"""A store with moods: the real one, but for the calls that a test has told to fail."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.runtime.store.port import Store


class Moods:
    """What the next calls of a store's methods meet; `calls` counts what was called."""

    def __init__(self) -> None:
        """Nothing fails."""
        self.calls: dict[str, int] = defaultdict(int)
        self.always: dict[str, Exception] = {}
        self._next: dict[str, deque[tuple[Exception, bool]]] = defaultdict(deque)
        self._watch: dict[str, Callable[..., object]] = {}

    def fail(self, method: str, error: Exception, times: int = 1, *, done: bool = False) -> None:
        """The next `times` calls raise `error`; with `done`, after the store has done what it was asked."""
        self._next[method].extend([(error, done)] * times)

    def watch(self, method: str, look: Callable[..., object]) -> None:
        """`look` sees the arguments before each call, and may raise."""
        self._watch[method] = look

    def heal(self) -> None:
        """Nothing fails any more."""
        self.always.clear()
        self._next.clear()
        self._watch.clear()

    def call(self, name: str, method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        """One call."""
        self.calls[name] += 1
        if name in self._watch:
            self._watch[name](*arguments)
        if name in self.always:
            raise self.always[name]
        if self._next[name]:
            error, done = self._next[name].popleft()
            if done:
                method(*arguments)
            raise error
        return method(*arguments)


class _Moody:
    def __init__(self, inner: Store, moods: Moods) -> None:
        self._inner = inner
        self._moods = moods

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)

        def called(*arguments: Any) -> Any:
            return self._moods.call(name, method, arguments)

        return called


def moody(inner: Store, moods: Moods) -> Store:
    """The store with moods."""
    wrapped: Any = _Moody(inner, moods)
    return cast("Store", wrapped)
