"""Finding the schema a message was written with: known ones first, the registry asked once, absence remembered."""

from __future__ import annotations

import pytest

from magnetar.schemas import Schema, SchemaUnavailable, WriterSchemas, schema_of
from tests.unit.schemas.shop import Order, Place

PLACE, ORDER = schema_of(Place), schema_of(Order)


class Registry:
    """A registry that counts what it is asked, and a clock that the test turns."""

    def __init__(self, texts: dict[tuple[str, int], str]) -> None:
        self.texts = texts
        self.asked: list[tuple[str, int]] = []
        self.now = 100.0
        self.down = False

    def fetch(self, topic: str, version: int) -> str | None:
        """Answer as a registry does."""
        self.asked.append((topic, version))
        if self.down:
            raise SchemaUnavailable(topic, version, "the registry did not answer")
        return self.texts.get((topic, version))

    def finder(self, *known: Schema) -> WriterSchemas:
        """Return the finder under test."""
        return WriterSchemas(known, self.fetch, lambda: self.now, absent_for=5.0)


def test_a_known_fingerprint_asks_nobody() -> None:
    """Also where the version is not known."""
    registry = Registry({})
    finder = registry.finder(PLACE)
    assert finder.find("orders", None, PLACE.fingerprint) is PLACE
    assert finder.find("orders", 9, PLACE.fingerprint) is PLACE
    assert registry.asked == []


def test_a_version_is_asked_for_once() -> None:
    """Per topic and version; the answer is then known by its fingerprint, too."""
    registry = Registry({("orders", 1): PLACE.text, ("stock", 1): ORDER.text})
    finder = registry.finder()
    assert [finder.find("orders", 1, None) for _ in range(3)] == [PLACE] * 3
    assert finder.find("stock", 1, None) == ORDER
    assert finder.find("elsewhere", None, ORDER.fingerprint) == ORDER
    assert registry.asked == [("orders", 1), ("stock", 1)]


def test_an_absent_schema_is_asked_for_again_only_later() -> None:
    """For five seconds the answer is remembered; then the registry may have it."""
    registry = Registry({})
    finder = registry.finder()
    for _ in range(3):
        with pytest.raises(SchemaUnavailable, match="no such version") as caught:
            finder.find("orders", 3, None)
        assert (caught.value.topic, caught.value.version) == ("orders", 3)
    assert len(registry.asked) == 1
    registry.texts["orders", 3] = PLACE.text
    registry.now += 5.0
    assert finder.find("orders", 3, None) == PLACE
    assert len(registry.asked) == 2


def test_a_registry_that_does_not_answer_is_not_asked_by_every_message() -> None:
    """Its own error is remembered and raised just as long."""
    registry = Registry({("orders", 3): PLACE.text})
    registry.down = True
    finder = registry.finder()
    for _ in range(3):
        with pytest.raises(SchemaUnavailable, match="did not answer"):
            finder.find("orders", 3, None)
    assert len(registry.asked) == 1
    registry.down = False
    registry.now += 5.1
    assert finder.find("orders", 3, None) == PLACE


def test_a_fingerprint_that_contradicts_the_registry_is_refused() -> None:
    """Then one of the two is wrong, and the bytes mean nothing."""
    finder = Registry({("orders", 1): PLACE.text}).finder()
    with pytest.raises(SchemaUnavailable, match=f"says fingerprint {'0' * 32}, the registry has {PLACE.fingerprint}"):
        finder.find("orders", 1, "0" * 32)


def test_a_message_without_either_has_no_schema() -> None:
    """Nothing to find, nobody is asked."""
    registry = Registry({})
    with pytest.raises(SchemaUnavailable, match="neither a schema version nor a fingerprint"):
        registry.finder(PLACE).find("orders", None, None)
    with pytest.raises(SchemaUnavailable, match="not known here, and the message carries no schema version"):
        registry.finder(PLACE).find("orders", None, "0" * 32)
    assert registry.asked == []


def test_a_registrys_broken_answer_is_no_schema() -> None:
    """What is not usable Avro is unavailable, with the reason."""
    registry = Registry({("orders", 1): "{"})
    with pytest.raises(SchemaUnavailable, match="is not JSON"):
        registry.finder().find("orders", 1, None)


def test_a_flood_of_unknown_versions_is_not_remembered_for_ever() -> None:
    """The memory of absent schemas is bounded."""
    registry = Registry({})
    finder = registry.finder()
    for version in range(5000):
        with pytest.raises(SchemaUnavailable):
            finder.find("orders", version, None)
    assert len(finder._absent) <= 1024
