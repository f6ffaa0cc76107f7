"""What a bug is: named changes to the product, made for as long as one run lasts, each counted when it runs."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import wraps
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping
    from types import ModuleType


class Promise(StrEnum):
    """What is promised, in the words of the README."""

    NEVER_LOST = "a published message is never lost"
    ONCE = "its effects happen exactly once"
    IN_ORDER = "messages of one order are applied in order, retries included"
    NO_FORK = "one order never forks"
    PUBLISHED = "what was decided is published, in order, once"
    REPLACED = "a lost worker is replaced in seconds"
    POISON = "poison does not stop the line"
    NO_WRONG_DATA = "a bad or unknown schema never becomes wrong data"


class TargetGone(Exception):
    """What a bug would change is not there any more: the product was changed, and the bug must follow it."""

    def __init__(self, change: Change) -> None:
        """Of which change."""
        super().__init__(f"there is no {change.target} to break: find what took its place, and break that")


@dataclass(frozen=True, slots=True)
class Change:
    """One function of the product, replaced.

    `owner` is its module or class; `by` is called in its place with the original first, then its arguments.
    """

    owner: type[Any] | ModuleType
    name: str
    by: Callable[..., Any]

    @property
    def target(self) -> str:
        """What it replaces, in words."""
        return f"{self.owner.__name__}.{self.name}"

    def found(self) -> Any:
        """The original as it stands there; `TargetGone`."""
        members: Mapping[str, Any] = vars(self.owner)
        if self.name not in members:
            raise TargetGone(self)
        return members[self.name]


@dataclass(frozen=True, slots=True)
class Bug:
    """A known way to build the product wrong.

    `rules`: those of the protocol that it breaks; `promise`: what then is not kept. It must be caught `within` so many
    schedules. Where it is there for the sake of one checker, `only` names the checker that alone sees it in some
    schedule. Another process knows it by its module.
    """

    module: str
    rules: tuple[str, ...]
    promise: Promise
    within: int
    changes: tuple[Change, ...]
    only: str = ""

    @property
    def name(self) -> str:
        """That of its file."""
        return self.module.rpartition(".")[2]

    def __reduce__(self) -> tuple[Callable[[str], Bug], tuple[str]]:
        """Its changes are functions and modules, which cannot be sent."""
        return of_module, (self.module,)


def of_module(name: str) -> Bug:
    """The `BUG` of a module of the zoo."""
    found: object = import_module(name).BUG
    assert isinstance(found, Bug), "every file of the zoo has a bug"
    return found


@contextmanager
def broken(changes: Iterable[Change], ran: Counter[str] | None = None) -> Generator[None]:
    """The product with these changes; as it was afterwards. `ran` counts the calls by target. Raises `TargetGone`."""
    done: list[tuple[Change, Any]] = []
    try:
        for change in changes:
            original = change.found()
            setattr(change.owner, change.name, _replaced(change, original, Counter() if ran is None else ran))
            done.append((change, original))
        yield
    finally:
        for change, original in reversed(done):
            setattr(change.owner, change.name, original)


def _replaced(change: Change, original: Any, ran: Counter[str]) -> Any:
    """What stands in place of the original."""

    @wraps(original)
    def wrong(*arguments: Any, **named: Any) -> Any:
        ran[change.target] += 1
        return change.by(original, *arguments, **named)

    return wrong
