"""Where servers live on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Places:
    """What can be fetched again (`cache`), and what cannot (`data`)."""

    cache: Path
    data: Path

    @classmethod
    def of(cls, environ: Mapping[str, str], home: Path) -> Places:
        """The user's directories after the XDG rules: a relative path in a variable is ignored, as they ask."""
        return cls(
            cache=_base(environ.get("XDG_CACHE_HOME", ""), home / ".cache") / "magnetar",
            data=_base(environ.get("XDG_DATA_HOME", ""), home / ".local" / "share") / "magnetar",
        )


def _base(variable: str, otherwise: Path) -> Path:
    chosen = Path(variable)
    return chosen if chosen.is_absolute() else otherwise
