"""Error, policy and ledger → decision; and what is kept of an error."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magnetar.runtime import PermanentError, Retry, TemporaryError
from magnetar.runtime.instant import SECOND, micros
from magnetar.runtime.wiring import Tier
from magnetar.runtime.worker.failing import TEXT_LIMIT, Again, Later, Never, decide, fingerprint_of, name_of, text_of

NOW = 1_800_000_000 * SECOND
RETRY = Retry(immediate=2, tiers=(10.0, 60.0), attempts=6, jitter=0.0)
TIERS = (Tier("ten", 10.0), Tier("sixty", 60.0))

retries = st.builds(
    Retry,
    immediate=st.integers(1, 4),
    attempts=st.integers(4, 20),
    jitter=st.floats(0, 1),
    tiers=st.just((10.0, 60.0)),
)
ids = st.binary(min_size=16, max_size=16)


@pytest.mark.parametrize(
    ("failures", "wanted"),
    [
        (1, Again()),
        (2, Later(NOW + 10 * SECOND, TIERS[0])),
        (3, Later(NOW + 60 * SECOND, TIERS[1])),
        (4, Later(NOW + 60 * SECOND, TIERS[1])),
        (5, Later(NOW + 60 * SECOND, TIERS[1])),
        (6, Never()),
        (7, Never()),
    ],
)
def test_at_once_then_tier_by_tier_then_never(failures: int, wanted: object) -> None:
    """Any error may pass, until its attempts are used up."""
    assert decide(ValueError("x"), failures, RETRY, TIERS, bytes(16), NOW) == wanted


def test_a_permanent_error_ends_at_once() -> None:
    """It says itself that trying again cannot help."""
    assert decide(PermanentError("x"), 1, RETRY, TIERS, bytes(16), NOW) == Never()


@pytest.mark.parametrize(("delay", "tier"), [(3.0, TIERS[0]), (10.0, TIERS[0]), (11.0, TIERS[1]), (999.0, TIERS[1])])
def test_an_error_may_say_when(delay: float, tier: Tier) -> None:
    """Then it is not tried at once, and its bell waits in the first tier that is long enough."""
    assert decide(TemporaryError("x", delay=delay), 1, RETRY, TIERS, bytes(16), NOW) == Later(NOW + micros(delay), tier)


@given(retries, ids, st.integers(1, 20))
def test_a_wait_is_never_shorter_than_its_tier_and_always_the_same(retry: Retry, name: bytes, failures: int) -> None:
    """R5: jitter is derived; it lengthens by its share at most."""
    found = decide(ValueError("x"), failures, retry, TIERS, name, NOW)
    assert found == decide(ValueError("y"), failures, retry, TIERS, name, NOW)
    if isinstance(found, Later):
        assert micros(found.tier.delay) <= found.due - NOW <= micros(found.tier.delay * (1 + retry.jitter)) + 1
    else:
        assert failures < retry.immediate or failures >= retry.attempts


@given(st.text(max_size=2 * TEXT_LIMIT) | st.text(st.characters(categories=["Cc", "Cs", "Zl"]), max_size=50))
def test_any_text_fits_into_a_property_and_into_a_database(text: str) -> None:
    """Bounded, one line, no NUL, no half surrogate pair; short plain ones stay as they are."""
    found = text_of(ValueError(text))
    assert len(found) <= TEXT_LIMIT
    assert found.isprintable()
    found.encode()
    if text.isprintable() and len(text) <= TEXT_LIMIT:
        assert found == " ".join(text.split())


def _raised(function: Callable[[str], None], text: str) -> Exception:
    try:
        function(text)
    except Exception as error:  # noqa: BLE001 - whatever it is
        return error
    raise AssertionError("it did not raise")


def _one(text: str) -> None:
    raise ValueError(text)


def _other(text: str) -> None:
    raise ValueError(text)


def test_one_cause_has_one_fingerprint() -> None:
    """Whatever ids, or its key, its text names; another text, place, class, actor or message type is another cause."""
    first = fingerprint_of(_raised(_one, "order 1"), "orders", "shop.Pay")
    assert first == fingerprint_of(_raised(_one, "order 2"), "orders", "shop.Pay")
    alice, bob = (_raised(_one, f"no account '{name}' at 10.0.0.7:80") for name in ("alice", "bob"))
    named = fingerprint_of(alice, "orders", "shop.Pay", "alice")
    assert named == fingerprint_of(bob, "orders", "shop.Pay", "bob")
    others = {
        named,
        fingerprint_of(_raised(_one, "no order 1"), "orders", "shop.Pay"),
        fingerprint_of(_raised(_other, "order 1"), "orders", "shop.Pay"),
        fingerprint_of(_raised(_one, "order 1"), "stock", "shop.Pay"),
        fingerprint_of(_raised(_one, "order 1"), "orders", "shop.Place"),
        fingerprint_of(KeyError("order 1"), "orders", "shop.Pay"),
    }
    assert len({first, *others}) == 7


def test_an_error_is_called_as_one_writes_it() -> None:
    """Python's own without a module."""
    assert name_of(ValueError()) == "ValueError"
    assert name_of(PermanentError("x")) == "magnetar.runtime.errors.PermanentError"
