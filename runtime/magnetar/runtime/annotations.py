"""What is written on the functions of a declaration, and where they stand: for the checks, and for what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FunctionType


def where(function: Callable[..., Any]) -> str:
    """Its name, and where it was defined."""
    code = getattr(function, "__code__", None)
    name = getattr(function, "__qualname__", repr(function))
    return f"{name} ({code.co_filename}:{code.co_firstlineno})" if code else name


def hint_of(function: FunctionType, name: str) -> tuple[Any, str]:
    """The annotation of a parameter, or of `return`; or None, and what is to be done about it."""
    hint = function.__annotations__.get(name)
    if hint is None:
        return None, f"annotate {name!r} with the message's type."
    if isinstance(hint, str):
        try:
            return eval(hint, function.__globals__), ""  # noqa: S307 - the app's own annotation, as typing.get_type_hints does
        except (NameError, AttributeError, SyntaxError, TypeError) as error:
            return None, f"its annotation {hint!r} cannot be read ({error}); import the type at run time."
    return hint, ""
