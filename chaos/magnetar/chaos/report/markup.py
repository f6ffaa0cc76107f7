"""Text that is safe on a page: keys and evidence come from outside, and may hold anything."""

from __future__ import annotations

import unicodedata
from html import escape

LONGEST = 600
"""Characters of one text from outside that are shown."""
_LOST = "\N{REPLACEMENT CHARACTER}"
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that turn the text after them around, and so make a key look like another."""


def clean(text: str, longest: int = LONGEST) -> str:
    """What may stand in XML, cut to a length that a page bears; not yet escaped."""
    cut = text if len(text) <= longest else text[: longest - 1] + "…"
    return cut if cut.isascii() and cut.isprintable() else "".join(map(_shown, cut))


def said(text: str, longest: int = LONGEST) -> str:
    """The text, clean and escaped, for the inside of an element or of an attribute."""
    return escape(clean(text, longest), quote=True)


def tag(name: str, /, *inner: str, **attributes: str | float | None) -> str:
    """An element. `inner` is markup; attributes are escaped here, `None` leaves one out, `_` stands for `-`."""
    given = "".join(
        f' {key.strip("_").replace("_", "-")}="{said(_number(value), 100_000)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{given}>{''.join(inner)}</{name}>"


def listed(some: list[str], most: int, **attributes: str | None) -> str:
    """A list of at most so many, and how many more there are; nothing for none."""
    shown = [tag("li", each) for each in some[:most]]
    if len(some) > most:
        shown.append(tag("li", f"and {len(some) - most:,} more", class_="more"))
    return tag("ul", *shown, **attributes) if shown else ""


def _number(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")


def _shown(character: str) -> str:
    if character in "\n\t":
        return character
    hidden = unicodedata.category(character) in {"Cc", "Cs", "Cn", "Co"} or character in _TURNING
    return _LOST if hidden else character
