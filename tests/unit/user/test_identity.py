"""Ids, instants, partitions and contexts: the pure parts that everything stands on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magnetar.runtime.identity import derive, foreign, id_of, mint, to_text
from magnetar.runtime.instant import from_datetime, from_iso, micros, seconds, to_datetime, to_iso
from magnetar.runtime.routing import java_hash, partition_of

IDS = st.binary(min_size=16, max_size=16)
MOMENTS = st.datetimes(timezones=st.just(UTC), min_value=datetime(1970, 1, 1), max_value=datetime(9999, 1, 1))  # noqa: DTZ001 - Hypothesis wants naive bounds
NOISE = st.binary(min_size=10, max_size=10)


@given(st.integers(0, 2**47 * 1000), NOISE)
def test_a_minted_id_is_a_uuid_of_version_7(now: int, noise: bytes) -> None:
    """RFC 9562: its first 48 bits are the milliseconds, so ids sort by time."""
    made = UUID(bytes=mint(now, lambda _: noise))
    assert (made.version, made.variant) == (7, RFC_4122)
    assert int.from_bytes(made.bytes[:6], "big") == now // 1000


@given(IDS, st.integers(0, 2**32 - 1))
def test_a_derived_id_is_a_uuid_of_its_causes_millisecond(cause: bytes, ordinal: int) -> None:
    """R5: the same cause and ordinal give the same id, and another ordinal gives another."""
    made = UUID(bytes=derive(cause, ordinal))
    assert (made.version, made.variant) == (7, RFC_4122)
    assert made.bytes[:6] == cause[:6]
    assert made.bytes == derive(cause, ordinal) != derive(cause, (ordinal + 1) % 2**32)


@given(IDS)
def test_ids_read_back_from_their_text(message_id: bytes) -> None:
    """The canonical text, as `uuid` writes it."""
    assert to_text(message_id) == str(UUID(bytes=message_id))
    assert id_of(to_text(message_id)) == message_id == id_of(to_text(message_id).upper())


@given(st.text(max_size=100), st.text(max_size=100))
def test_foreign_ids_are_equal_for_equal_texts(one: str, other: str) -> None:
    """A publisher's own name for a message becomes a UUID of version 8, one for each text."""
    made = UUID(bytes=foreign(one))
    assert (made.version, made.variant) == (8, RFC_4122)
    assert (foreign(one) == foreign(other)) == (one == other)


@given(MOMENTS)
def test_instants_round_trip(moment: datetime) -> None:
    """Exact to the microsecond, as a number and as text."""
    instant = from_datetime(moment)
    assert to_datetime(instant) == moment
    assert from_iso(to_iso(instant)) == instant


@given(MOMENTS, st.integers(-14 * 60, 14 * 60))
def test_an_instant_is_the_same_in_every_zone(moment: datetime, offset: int) -> None:
    """Where it was written does not matter."""
    if timedelta(days=1) < moment - datetime(1970, 1, 1, tzinfo=UTC):
        assert from_datetime(moment.astimezone(timezone(timedelta(minutes=offset)))) == from_datetime(moment)


@given(st.integers(0, 10**15))
def test_durations_round_trip(duration: int) -> None:
    """Seconds are floats, and exact enough for microseconds over decades."""
    assert micros(seconds(duration)) == duration


@pytest.mark.parametrize("text", ["2026-01-01T00:00:00", "yesterday", ""])
def test_a_text_that_names_no_instant_is_refused(text: str) -> None:
    """A time without an offset is none."""
    with pytest.raises(ValueError):  # noqa: PT011 - whatever it says
        from_iso(text)


@pytest.mark.parametrize(
    ("key", "hashed"),
    [
        ("", 0),
        ("a", 97),
        ("hello", 99162322),
        ("Hello, World!", 1498789909),
        ("polygenelubricants", 0),  # Integer.MIN_VALUE: its sign bit is cut off
        ("Aa", 2112),
        ("BB", 2112),
        ("Ä", 196),
        ("日本語", 25921943),
        ("\U0001f600", 1772899),  # a surrogate pair: 0xD83D * 31 + 0xDE00
    ],
)
def test_keys_are_hashed_as_java_does(key: str, hashed: int) -> None:
    """`String.hashCode` over UTF-16 code units, without its sign: known values, and the definition."""
    assert java_hash(key) == hashed == _by_definition(key)


def _by_definition(key: str) -> int:
    """s[0]*31^(n-1) + … + s[n-1] in 32 bits, over code units."""
    code = key.encode("utf-16-be", "surrogatepass")
    units = [int.from_bytes(code[at : at + 2], "big") for at in range(0, len(code), 2)]
    hashed = 0
    for unit in units:
        hashed = 31 * hashed + unit
    return hashed % 2**31


@given(st.text(max_size=40), st.integers(1, 64))
def test_every_key_has_one_partition(key: str, partitions: int) -> None:
    """By the definition of the hash, for any text at all."""
    assert partition_of(key, partitions) == _by_definition(key) % partitions


@given(st.text(alphabet=st.characters(min_codepoint=0xD800, max_codepoint=0xDFFF), min_size=1, max_size=4))
def test_half_a_surrogate_pair_has_a_hash_too(key: str) -> None:
    """Java's strings may hold one, so a foreign key may."""
    assert 0 <= java_hash(key) < 2**31
