"""JSON values as YAML, a line for each thing: what a person reads, and `git diff` compares.

Files are compared byte for byte, so their form may not change with the version of a library. What is written is a
small part of YAML: blocks, empty ones in brackets, texts plain where nobody can take them for anything else, or in
double quotes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from magnetar.schemas.shapes import Json

PLAIN: Final = re.compile(r"[A-Za-z$](?:[A-Za-z0-9_./, ()-]*[A-Za-z0-9_./)-])?")
WORDS: Final = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null"})
"""In small letters, what some reader of YAML takes for something else than a text."""


def rendered(value: Json, comment: str) -> str:
    """The text of a file that holds a value, behind a comment of one line."""
    return "".join(f"{line}\n" for line in (f"# {comment}", *_lines(value)))


def _lines(value: Json) -> Iterator[str]:
    match value:
        case str():
            yield _text(value)
        case Mapping() if value:
            for key, each in value.items():
                yield from _entry(_text(key), each)
        case Sequence() if value:
            for each in value:
                yield from _item(each)
        case _:
            yield _scalar(value)


def _entry(key: str, value: Json) -> Iterator[str]:
    if _is_block(value):
        yield f"{key}:"
        yield from (f"  {line}" for line in _lines(value))
    else:
        yield f"{key}: {next(_lines(value))}"


def _item(value: Json) -> Iterator[str]:
    for at, line in enumerate(_lines(value)):
        yield f"{'- ' if at == 0 else '  '}{line}"


def _is_block(value: Json) -> bool:
    return isinstance(value, Mapping | Sequence) and not isinstance(value, str) and bool(value)


def _scalar(value: Json) -> str:
    """An empty block, a number, true, false or null."""
    text = json.dumps(value)
    if isinstance(value, float) and "." not in text:
        return text.replace("e", ".0e")  # without a point it is a text to YAML 1.1
    return text


def _text(value: str) -> str:
    if PLAIN.fullmatch(value) and value.lower() not in WORDS:
        return value
    quoted = json.dumps(value, ensure_ascii=False)
    return "".join(each if each.isprintable() else f"\\U{ord(each):08x}" for each in quoted)
