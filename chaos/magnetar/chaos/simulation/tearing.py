"""A connection that is lost in the midst of a transaction."""

from __future__ import annotations

from typing import Any, NoReturn


class Torn(BaseException):
    """The connection is lost here and now."""


class Tear(dict[Any, Any]):
    """Stands in place of rows: whoever reads them gets the loss of the connection instead."""

    def __iter__(self) -> NoReturn:
        """Never a row."""
        raise Torn

    def items(self) -> NoReturn:
        """Never a row."""
        raise Torn
