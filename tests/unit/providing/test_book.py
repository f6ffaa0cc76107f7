"""The provider's books: a key stands for one thing, and money never appears or gets lost."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from magnetar.actors.providing.emulator.audit import charged_once, paid_or_refunded
from magnetar.actors.providing.emulator.book import Asked, Book, Entry, KeyReused
from magnetar.actors.providing.wire import ChargeBody, RefundBody
from tests.unit.actors.goods import euros

AT = "2026-01-01T00:00:00+00:00"
KEYS = st.sampled_from(["k-1", "k-2", "k-3"])
ORDERS = st.sampled_from(["o-1", "o-2"])
AMOUNTS = st.sampled_from([1, 2, 5])
CURRENCIES = st.sampled_from(["EUR", "USD"])
CHARGES = st.builds(ChargeBody, ORDERS, AMOUNTS, CURRENCIES)
REFUNDS = st.builds(RefundBody, ORDERS, st.sampled_from(["ch_1", "ch_2", "ch_3"]), AMOUNTS, CURRENCIES)
STEPS = st.lists(st.tuples(KEYS, CHARGES | REFUNDS | st.none(), st.booleans()), max_size=25)


def entered(book: Book, key: str, asked: Asked | None, declined: str = "") -> Entry | None:
    """What the books say, entered; None for a key that stands for something else. `asked` None: cancel."""
    try:
        entry = book.cancel(key, AT) if asked is None else book.decide(key, asked, AT, declined)
    except KeyReused:
        return None
    if key not in book.entries:
        book.add(entry)
    return entry


TWICE_BACK: list[tuple[str, Asked | None, bool]] = [
    ("k-1", ChargeBody("o-1", 2, "EUR"), False),
    ("k-2", RefundBody("o-1", "ch_1", 2, "EUR"), False),
    ("k-3", RefundBody("o-1", "ch_1", 1, "EUR"), False),
]


@example(TWICE_BACK)
@given(STEPS)
def test_the_books_balance_whatever_is_asked(steps: list[tuple[str, Asked | None, bool]]) -> None:
    """One entry a key for ever; nothing goes back beyond its charge, in another currency or for another order."""
    book, seen = Book(), dict[str, Entry]()
    for key, asked, declines in steps:
        entry = entered(book, key, asked, "no_cover" if declines else "")
        if entry is not None:
            assert seen.setdefault(key, entry) == entry
    back = Counter[str]()
    for entry in book.entries.values():
        if entry.what == "refunded":
            back[entry.charge] += entry.amount
            charge = book.charges[entry.charge]
            assert (charge.order_id, charge.currency) == (entry.order_id, entry.currency)
    assert all(back[reference] <= charge.amount for reference, charge in book.charges.items())
    assert [entry.number for entry in book.entries.values()] == list(range(1, len(book.entries) + 1))


@given(STEPS)
def test_the_books_are_what_their_entries_make(steps: list[tuple[str, Asked | None, bool]]) -> None:
    """Read again from the log, they answer the same."""
    book = Book()
    for key, asked, _ in steps:
        entered(book, key, asked)
    assert Book.of(book.entries.values()) == book


def test_an_entry_is_made_once() -> None:
    """Entering a key twice is a defect of whoever does it."""
    book = Book()
    entry = book.decide("k", ChargeBody("o", 1, "EUR"), AT)
    book.add(entry)
    with pytest.raises(AssertionError, match="has an entry"):
        book.add(entry)


def charged(number: int, order_id: str, amount: int = 900) -> Entry:
    """A charge."""
    return Entry(
        number=number, key=f"k-{number}", at=AT, what="charged", asked="charge", order_id=order_id, amount=amount,
        currency="EUR", reference=f"ch_{number}",
    )  # fmt: skip


def refunded(number: int, order_id: str, amount: int = 900) -> Entry:
    """A refund."""
    return Entry(
        number=number, key=f"k-{number}", at=AT, what="refunded", asked="refund", order_id=order_id, amount=amount,
        currency="EUR", reference=f"re_{number}", charge="ch",
    )  # fmt: skip


def test_the_audit_sees_an_order_that_was_charged_twice() -> None:
    """Also under two keys, and also when one was given back: it should never have been taken."""
    entries = [charged(1, "o-1"), charged(2, "o-2"), charged(3, "o-1"), refunded(4, "o-1")]
    assert list(charged_once(entries)) == ["o-1 was charged 2 times", None]


def test_the_audit_sees_money_that_is_where_it_does_not_belong() -> None:
    """Kept for an order that is not confirmed, not taken for one that is, given back in part, or too much kept."""
    entries = [charged(1, "kept"), charged(2, "part"), refunded(3, "part", 100), charged(4, "more", 901)]
    entries += [charged(5, "fine"), charged(6, "back"), refunded(7, "back")]
    confirmed = {"fine": euros(900), "more": euros(900), "never": euros(900)}
    assert list(paid_or_refunded(entries, confirmed)) == [
        None,
        None,
        "kept is not confirmed, and the provider keeps {'EUR': 900}",
        "more is confirmed for 900 EUR, and the provider keeps {'EUR': 901}",
        "never is confirmed for 900 EUR, and the provider keeps nothing",
        "part is not confirmed, and the provider keeps {'EUR': 800}",
    ]
