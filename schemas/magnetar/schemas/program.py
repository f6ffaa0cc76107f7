"""Python source that is made once per schema and then runs for every message: straight lines, no dispatch.

Measured on the 12-field event of the benchmarks (best of 20): walking, reading by fastavro and converting 17 µs, one
generated pass and converting 7 µs. See ADR 11.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import CodeType


MOST_COMPILED: Final = 256
"""The code of so many sources is kept: a body is read and written the same on its own and in its topic."""

DEEP: Final = 6
"""Deeper than so many open blocks a type gets a function of its own: Python nests no more than 20 loops."""


class Program:
    """Lines of source with their constants. No text from outside gets into the source but by `constant` or `repr`."""

    def __init__(self) -> None:
        """Begin empty."""
        self._lines: list[str] = []
        self._depth = 0
        self._names = 0
        self._constants: dict[str, Any] = {}

    @property
    def depth(self) -> int:
        """How many blocks are open."""
        return self._depth

    def name(self, stem: str) -> str:
        """Return a name that was not used before."""
        self._names += 1
        return f"{stem}{self._names}"

    def constant(self, value: object, stem: str = "c") -> str:
        """Return the name by which the source finds a value."""
        name = self.name(stem)
        self._constants[name] = value
        return name

    def line(self, *texts: str) -> None:
        """Add lines at the depth of the blocks that are open."""
        self._lines += ["    " * self._depth + text for text in texts]

    @contextmanager
    def block(self, head: str) -> Generator[None]:
        """Add a statement whose body are the lines of the `with` block."""
        self.line(f"{head}:")
        self._depth += 1
        yield
        self._depth -= 1

    def finished(self, function: str, title: str) -> Callable[..., Any]:
        """Compile all of it and return one of its functions; `title` is what tracebacks show."""
        namespace = dict(self._constants)
        exec(_compiled("\n".join(self._lines), f"<{title}>"), namespace)  # noqa: S102 - the source is ours
        made: Callable[..., Any] = namespace[function]
        return made


@lru_cache(maxsize=MOST_COMPILED)
def _compiled(source: str, title: str) -> CodeType:
    return compile(source, title, "exec")
