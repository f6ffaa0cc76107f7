"""Which schema was a message written with? Known ones by fingerprint, others from the registry, both ways cached."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from magnetar.schemas.errors import SchemaInvalid, SchemaUnavailable
from magnetar.schemas.schema import Schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MOST_ABSENT: Final = 1024
"""So many failed look-ups are remembered at once."""


class WriterSchemas:
    """Finds writers' schemas. Thread-safe: two threads may fetch the same schema, which does no harm."""

    def __init__(
        self,
        known: Iterable[Schema],
        fetch: Callable[[str, int], str | None],
        clock: Callable[[], float],
        absent_for: float = 5.0,
    ) -> None:
        """Take the schemas this program knows, and where to get others.

        `fetch(topic, version)` returns a schema's text, or None where the registry has no such version; it raises
        SchemaUnavailable where the registry did not answer. `clock` is monotonic, in seconds; a schema that
        could not be had is not asked for again for `absent_for` seconds.
        """
        self._known = {schema.fingerprint: schema for schema in known}
        self._versions: dict[tuple[str, int], Schema] = {}
        self._absent: dict[tuple[str, int], tuple[float, str]] = {}
        self._fetch = fetch
        self._clock = clock
        self._absent_for = absent_for

    def find(self, topic: str, version: int | None, fingerprint: str | None) -> Schema:
        """Return the schema a message was written with, or raise SchemaUnavailable.

        A known fingerprint decides. Otherwise the topic's schema version does, and where the message also carried
        a fingerprint, the two must agree.
        """
        if fingerprint is not None and (known := self._known.get(fingerprint)) is not None:
            return known
        if version is None:
            raise SchemaUnavailable(topic, None, _unknown(fingerprint))
        found = self._versions.get((topic, version)) or self._ask(topic, version)
        if fingerprint is not None and fingerprint != found.fingerprint:
            reason = f"the message says fingerprint {fingerprint}, the registry has {found.fingerprint}"
            raise SchemaUnavailable(topic, version, reason)
        return found

    def _ask(self, topic: str, version: int) -> Schema:
        key = (topic, version)
        until, reason = self._absent.get(key, (0.0, ""))
        if reason and self._clock() < until:
            raise SchemaUnavailable(topic, version, reason)
        try:
            found = self._fetched(topic, version)
        except SchemaUnavailable as error:
            if len(self._absent) >= MOST_ABSENT:
                self._absent.clear()
            self._absent[key] = (self._clock() + self._absent_for, error.reason)
            raise
        self._absent.pop(key, None)
        self._versions[key] = found
        return found

    def _fetched(self, topic: str, version: int) -> Schema:
        text = self._fetch(topic, version)
        if text is None:
            raise SchemaUnavailable(topic, version, "the registry has no such version")
        try:
            schema = Schema.parse(text)
        except SchemaInvalid as error:
            raise SchemaUnavailable(topic, version, f"the registry's answer is no usable schema: {error}") from error
        return self._known.setdefault(schema.fingerprint, schema)


def _unknown(fingerprint: str | None) -> str:
    if fingerprint is None:
        return "the message carries neither a schema version nor a fingerprint"
    return f"the fingerprint {fingerprint} is not known here, and the message carries no schema version"
