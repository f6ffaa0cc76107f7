"""The schemas of one topic, as the broker's registry holds them."""

from __future__ import annotations

import json
from functools import lru_cache

from magnetar.runtime.bus.port import SchemaRefused


class TopicSchemas:
    """The versions of a topic's schema, 0 first; two texts that parse to the same JSON are one version.

    `open_to_new`: a producer with an unknown schema registers it (a broker's *allow auto update*); otherwise only
    the operator registers, and such a producer is refused. Compatibility is not judged here: the gate does.
    """

    def __init__(self, topic: str, *, open_to_new: bool) -> None:
        self._topic = topic
        self._open = open_to_new
        self._texts: list[str] = []
        self._versions: dict[str, int] = {}

    def register(self, text: str) -> int:
        """The version of this schema, a new one if it is unknown; `SchemaRefused` when it is not JSON."""
        known = self._known(text)
        if known is not None:
            return known
        self._texts.append(text)
        return self._versions.setdefault(self._canonical(text), len(self._texts) - 1)

    def version_for(self, text: str | None) -> int | None:
        """What a producer with this schema stamps on its messages; None for bytes on a topic without a schema."""
        if text is None:
            if self._texts:
                raise SchemaRefused(f"{self._topic} has a schema: a producer of plain bytes is refused")
            return None
        known = self._known(text)
        if known is None and not self._open:
            raise SchemaRefused(f"{self._topic} takes no unknown schema from a producer: register it first")
        return self.register(text) if known is None else known

    def text(self, version: int) -> str | None:
        """The schema of this version, as it was registered; None when there is no such version."""
        return self._texts[version] if 0 <= version < len(self._texts) else None

    def _known(self, text: str) -> int | None:
        return self._versions.get(self._canonical(text))

    def _canonical(self, text: str) -> str:
        try:
            return _canonical(text)
        except ValueError as error:
            raise SchemaRefused(f"the schema for {self._topic} is not JSON: {error}") from error


@lru_cache(maxsize=1024)
def _canonical(text: str) -> str:
    """Every producer brings its schema: few texts, many times."""
    return json.dumps(json.loads(text), sort_keys=True)
