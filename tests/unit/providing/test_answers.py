"""What may be concluded from an answer, whatever it is: a refusal only where it cannot be anything else."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from magnetar.actors.providing import (
    Charge,
    Contradicted,
    Deed,
    Doubt,
    NotAdmitted,
    ProviderError,
    Receipt,
    Refused,
    Unsure,
    wire,
)
from magnetar.actors.providing.answers import Answer, fault, fitting, is_nothing_known, receipt
from tests.unit.actors.goods import euros

KEY = "k-1"
REFUSAL = {"key": KEY, "error": {"code": "no_cover", "message": "none", "final": True}}
CHARGED = {"deed": "charged", "key": KEY, "reference": "ch_1", "amount": 900, "currency": "EUR"}


def answer(status: int, body: object, wait: float | None = None) -> Answer:
    """An answer to the question with our key."""
    return Answer(KEY, status, body if isinstance(body, bytes) else msgspec.json.encode(body), wait)


def concluded(given_answer: Answer) -> Receipt | ProviderError | None:
    """What is made of it."""
    try:
        return receipt(given_answer)
    except ProviderError as error:
        return error


def test_a_receipt_is_read() -> None:
    """Deed, reference and exact amount."""
    assert receipt(answer(200, CHARGED)) == Receipt(Deed.CHARGED, "ch_1", euros(900))
    assert receipt(answer(200, CHARGED | {"deed": "refunded"})) == Receipt(Deed.REFUNDED, "ch_1", euros(900))
    assert receipt(answer(200, {"deed": "cancelled", "key": KEY})) is None


@pytest.mark.parametrize(
    "changes",
    [{"amount": 9.5}, {"amount": "900"}, {"amount": None}, {"deed": "held"}, {"reference": 7}, {"key": None}],
)
def test_a_success_that_is_not_understood_is_a_doubt(changes: dict[str, object]) -> None:
    """Something was done; what, nobody can say. It is not taken for the thing that was asked."""
    with pytest.raises(Unsure) as caught:
        receipt(answer(200, CHARGED | changes))
    assert caught.value.doubt is Doubt.UNREADABLE


@pytest.mark.parametrize("body", [CHARGED | {"key": "k-2"}, {"deed": "cancelled", "key": "k-2"}])
def test_an_answer_to_another_question_is_nobodys(body: dict[str, object]) -> None:
    """However good it looks."""
    with pytest.raises(Unsure) as caught:
        receipt(answer(200, body))
    assert caught.value.doubt is Doubt.ASTRAY


@pytest.mark.parametrize("status", [200, 201, 204, 301, 307, 500, 502, 503, 504, 401, 403, 599])
def test_a_refusal_counts_by_its_status_too(status: int) -> None:
    """A server that says of itself that it failed, or sends us elsewhere, refuses nothing for good."""
    assert not isinstance(concluded(answer(status, REFUSAL)), Refused)


@pytest.mark.parametrize("status", [400, 402, 404, 409, 410, 422, 429])
def test_a_refusal_in_the_providers_words_is_final(status: int) -> None:
    """With its code and words."""
    found = concluded(answer(status, REFUSAL))
    assert isinstance(found, Refused)
    assert (found.reason, found.said) == ("no_cover", "none")


@pytest.mark.parametrize(
    ("body", "doubt"),
    [
        (b"", Doubt.UNREADABLE),
        (b"<html>402</html>", Doubt.UNREADABLE),
        ({"error": {"code": "no_cover", "final": True}}, Doubt.UNREADABLE),
        (REFUSAL | {"key": "k-2"}, Doubt.ASTRAY),
        (REFUSAL | {"error": {"code": "no_cover", "message": "none"}}, Doubt.UNREADABLE),
        (REFUSAL | {"error": {"code": "no_cover", "final": "yes"}}, Doubt.UNREADABLE),
    ],
)
def test_a_refusal_that_is_not_quite_one_is_a_doubt(body: object, doubt: Doubt) -> None:
    """Without the key, for another key, not said to be final, or in somebody else's words."""
    found = concluded(answer(402, body))
    assert isinstance(found, Unsure)
    assert found.doubt is doubt


@pytest.mark.parametrize(
    ("status", "doubt"),
    [
        (409, Doubt.IN_HAND),
        (429, Doubt.BUSY),
        (503, Doubt.BUSY),
        (500, Doubt.FAILED),
        (504, Doubt.FAILED),
        (302, Doubt.UNREADABLE),
        (404, Doubt.UNREADABLE),
        (201, Doubt.UNREADABLE),
    ],
)
def test_a_doubt_has_its_name(status: int, doubt: Doubt) -> None:
    """And the time that the provider wants."""
    found = concluded(answer(status, b"what is this", 7.0))
    assert isinstance(found, Unsure)
    assert (found.doubt, found.wait) == (doubt, 7.0)


@pytest.mark.parametrize("status", [401, 403])
def test_who_is_not_admitted_mends_the_token(status: int) -> None:
    """It says what to do, and decides nothing about the key."""
    found = concluded(answer(status, b"<html>"))
    assert isinstance(found, NotAdmitted)
    assert "MAGNETAR_PROVIDER_TOKEN" in str(found)


def test_a_key_that_stands_for_something_else_is_told() -> None:
    """Even were it said to be final: what was done under the key is not what was asked."""
    body = {"key": KEY, "error": {"code": wire.KEY_REUSED, "message": "other amount", "final": True}}
    assert isinstance(concluded(answer(422, body)), Contradicted)


def test_a_receipt_for_something_else_is_a_contradiction() -> None:
    """Another amount, another currency, another deed, or none."""
    asked = Charge("o-1", euros(900))
    fine = Receipt(Deed.CHARGED, "ch_1", euros(900))
    assert fitting(KEY, fine, Deed.CHARGED, asked) is fine
    for wrong in (Receipt(Deed.REFUNDED, "re_1", euros(900)), Receipt(Deed.CHARGED, "ch_1", euros(901)), None):
        with pytest.raises(Contradicted):
            fitting(KEY, wrong, Deed.CHARGED, asked)


def test_only_the_provider_knows_that_nothing_is_known() -> None:
    """A 404 of something between is a doubt: the operation may well exist."""
    said = {"key": KEY, "error": {"code": wire.NOTHING_KNOWN}}
    assert is_nothing_known(answer(404, said))
    for other in (answer(404, b"not found"), answer(404, said | {"key": "k-2"}), answer(500, said)):
        assert not is_nothing_known(other)
        assert isinstance(concluded(other), Unsure)


def test_a_strangers_text_is_one_short_line() -> None:
    """No line end and no terminal code of theirs stands in our log."""
    body = REFUSAL | {"error": {"code": "no_cover", "message": "a\n\x1b[31m" + "b" * 10_000, "final": True}}
    text = str(concluded(answer(402, body)))
    assert text.isprintable()
    assert len(text) < 400


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 1000) | st.sampled_from([KEY, "charged", "no_cover", "EUR"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["key", "deed", "error", "code", "final", "amount", "reference", "currency"]), inner
        )
    ),
)


@given(status=st.integers(100, 599), body=st.binary(max_size=60) | JSON.map(msgspec.json.encode))
def test_no_answer_surprises(status: int, body: bytes) -> None:
    """Whatever comes, it is a receipt, a cancelled key, or an error of ours; and a refusal only by the rule."""
    found = concluded(answer(status, body))
    if isinstance(found, Refused):
        said = msgspec.json.decode(body)
        assert (said["key"], said["error"]["final"]) == (KEY, True)
        assert 400 <= status < 500
    if found is None or isinstance(found, Receipt):
        assert status == 200
        assert msgspec.json.decode(body)["key"] == KEY
    if status != 200:
        assert isinstance(fault(answer(status, body)), ProviderError)
