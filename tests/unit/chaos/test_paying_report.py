"""The report on paying: which orders come, who is killed, and what is made of what was seen."""

from __future__ import annotations

from dataclasses import replace as changed
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magnetar.actors.ordering.rules import total_of
from magnetar.actors.providing.emulator.book import Entry
from magnetar.chaos.paying import judging
from magnetar.chaos.paying.judging import Ending, Seen
from magnetar.chaos.paying.plan import Sizes, Victim, blows, callbacks, conduct, letters
from magnetar.chaos.paying.run import Report
from magnetar.chaos.paying.telling import main
from magnetar.schemas import Money, replace
from magnetar.schemas.commerce import (
    Cancel,
    Capture,
    CaptureFailed,
    CaptureFate,
    ChargeStanding,
    Order,
    OrderOutcome,
    OrderStatus,
    Payment,
    Place,
    RefundStanding,
    TakenCapture,
)

PRICE = Money(900, "EUR")


def entry(number: int, key: str, what: Literal["charged", "refunded", "refused"], order_id: str) -> Entry:
    """A line of the provider's log."""
    asked: Literal["charge", "refund"] = "refund" if what == "refunded" else "charge"
    return Entry(number, key, "", what, asked, order_id, PRICE.amount, PRICE.currency, f"r-{number}")


def order(status: OrderStatus, ended_by: OrderOutcome) -> Order:
    """One of 9.00 euros."""
    return Order(status=status, ended_by=ended_by, total=PRICE)


def captured(refund: RefundStanding = RefundStanding.NONE, refund_key: str = "") -> tuple[TakenCapture, ...]:
    """What the provider took, and whether it went back."""
    fate = CaptureFate.REFUNDED if refund_key else CaptureFate.ACCEPTED
    return (TakenCapture(reference="r-1", amount=PRICE, fate=fate, refund=refund, refund_key=refund_key),)


PAID = Payment(charge=ChargeStanding.TAKEN, charge_key="c-1", captures=captured())
BACK = Payment(charge=ChargeStanding.TAKEN, charge_key="c-2", captures=captured(RefundStanding.GIVEN_BACK, "b-2"))
REFUSED = Payment(charge=ChargeStanding.REFUSED, charge_key="c-3")
SEEN = Seen(
    placed=frozenset({"o-1", "o-2", "o-3"}),
    orders={
        "o-1": order(OrderStatus.CONFIRMED, OrderOutcome.CONFIRMED),
        "o-2": order(OrderStatus.CANCELLED, OrderOutcome.PAYMENT_OVERDUE),
        "o-3": order(OrderStatus.CANCELLED, OrderOutcome.PAYMENT_OVERDUE),
    },
    payments={"o-1": PAID, "o-2": BACK, "o-3": REFUSED},
    entries=[
        entry(1, "c-1", "charged", "o-1"),
        entry(2, "c-2", "charged", "o-2"),
        entry(3, "b-2", "refunded", "o-2"),
        entry(4, "c-3", "refused", "o-3"),
    ],
    doubts=1,
    callbacks=3,
    kills=(2, 1),
    dead=0,
    wrong=[],
)
"""One order is paid, one has its money back, and of one nothing was taken."""
TWICE = [entry(5, "c-5", "charged", "o-1"), entry(6, "b-5", "refunded", "o-1")]


def broken(seen: Seen) -> set[int]:
    """Which lines of the report are."""
    return {number for number, verdict in enumerate(judging.verdicts(seen)) if not verdict.kept}


@given(st.integers(0, 2**32), st.integers(1, 300), st.floats(0.5, 200))
def test_every_order_is_placed_once_and_cancelled_at_most_once(seed: int, orders: int, rate: float) -> None:
    """By time, and the same for the same seed; nobody cancels what he has not placed."""
    sizes = Sizes(orders, rate)
    planned = letters(sizes, seed)
    assert planned == letters(sizes, seed)
    assert [letter.at for letter in planned] == sorted(letter.at for letter in planned)
    placed = {letter.message.order_id: letter.at for letter in planned if isinstance(letter.message, Place)}
    cancelled = {letter.message.order_id: letter.at for letter in planned if isinstance(letter.message, Cancel)}
    assert len({letter.message_id for letter in planned}) == len(planned)
    assert len(placed) == orders
    assert all(at >= placed[order_id] for order_id, at in cancelled.items())
    assert all(total_of(letter.message.lines) > 0 for letter in planned if isinstance(letter.message, Place))


@given(st.integers(0, 2**32), st.integers(1, 3_000), st.floats(0.5, 200))
def test_provider_and_workers_are_killed_in_every_run(seed: int, orders: int, rate: float) -> None:
    """While orders come, and the provider comes back."""
    sizes = Sizes(orders, rate)
    planned = blows(sizes, seed)
    assert {blow.victim for blow in planned} == set(Victim)
    assert [blow.at for blow in planned] == sorted(blow.at for blow in planned)
    assert all(0 < blow.at < sizes.seconds for blow in planned)
    assert all((blow.away > 0) == (blow.victim is Victim.PROVIDER) for blow in planned)


@given(st.integers(0, 2**32), st.integers(1, 10**6), st.floats(0, 300))
def test_a_callback_tells_what_was_charged_or_the_contrary_and_never_before(seed: int, number: int, at: float) -> None:
    """At most twice and once; each under an id of its own, and the same again for the same entry."""
    charged = entry(number, "c", "charged", "o-1")
    told = list(callbacks(charged, at, seed))
    assert told == list(callbacks(charged, at, seed))
    assert len({letter.message_id for letter in told}) == len(told)
    assert all(letter.at >= at for letter in told)
    captures = [letter.message for letter in told if isinstance(letter.message, Capture)]
    assert captures == [Capture(order_id="o-1", reference=charged.reference, amount=PRICE)] * len(captures)
    assert len(captures) <= 2
    assert len(told) - len(captures) <= 1
    assert not list(callbacks(entry(number, "c", "refunded", "o-1"), at, seed))


def test_some_callbacks_come_twice_late_or_contrary() -> None:
    """And of some charges nobody is told."""
    told = [list(callbacks(entry(number, "c", "charged", "o-1"), 0.0, 1)) for number in range(400)]
    assert {sum(isinstance(letter.message, Capture) for letter in each) for each in told} == {0, 1, 2}
    assert any(letter.at > 10 for each in told for letter in each if isinstance(letter.message, Capture))
    assert any(isinstance(letter.message, CaptureFailed) for each in told for letter in each)


def test_the_provider_behaves_as_badly_in_each_life_and_differently() -> None:
    """Else whoever was answered badly would be so again, to the same question, for ever."""
    first, second = conduct(1, 0), conduct(1, 1)
    assert first.seed != second.seed
    assert (first.rates, first.seconds) == (second.rates, second.seconds)
    assert 0 < sum(first.rates.values()) < 1


def test_all_is_kept_when_all_went_well() -> None:
    """And the ends are told apart."""
    assert broken(SEEN) == set()
    assert set(judging.endings(SEEN)) == {
        Ending("confirmed: confirmed", "taken", "kept", 1),
        Ending("cancelled: payment_overdue", "taken", "given back", 1),
        Ending("cancelled: payment_overdue", "refused", "never taken", 1),
    }


@pytest.mark.parametrize(
    ("lines", "seen"),
    [
        ({0}, changed(SEEN, wrong=["per-key order: …"])),
        ({1}, changed(SEEN, placed=SEEN.placed | {"o-4"})),
        ({1}, changed(SEEN, orders={**SEEN.orders, "o-3": order(OrderStatus.AWAITING_PAYMENT, OrderOutcome.NONE)})),
        ({2, 3}, changed(SEEN, entries=[*SEEN.entries, entry(5, "c-4", "charged", "o-1")])),
        ({2}, changed(SEEN, entries=[*SEEN.entries, *TWICE])),
        ({3}, changed(SEEN, orders={**SEEN.orders, "o-2": order(OrderStatus.CONFIRMED, OrderOutcome.CONFIRMED)})),
        ({3}, changed(SEEN, entries=[*SEEN.entries, entry(5, "c-9", "charged", "o-9")])),
        ({3, 4, 6}, changed(SEEN, entries=[each for each in SEEN.entries if each.what != "refunded"])),
        ({3, 4}, changed(SEEN, entries=SEEN.entries[1:])),
        ({4}, changed(SEEN, payments={**SEEN.payments, "o-1": replace(PAID, charge=ChargeStanding.REFUSED)})),
        ({4}, changed(SEEN, payments={**SEEN.payments, "o-1": replace(PAID, charge=ChargeStanding.CANCELLING)})),
        ({4}, changed(SEEN, payments={**SEEN.payments, "o-3": replace(REFUSED, charge_key="c-4")})),
        ({5}, changed(SEEN, dead=1)),
        ({6}, changed(SEEN, doubts=0)),
        ({6}, changed(SEEN, callbacks=0)),
        ({6}, changed(SEEN, kills=(2, 0))),
        ({6}, changed(SEEN, kills=(0, 1))),
    ],
)  # fmt: skip
def test_each_line_is_broken_by_what_it_is_about(lines: set[int], seen: Seen) -> None:
    """And by nothing else."""
    assert broken(seen) == lines


def test_whoever_waits_for_the_provider_is_not_at_rest() -> None:
    """A charge that is asked or being cancelled, a refund that is asked."""
    assert judging.rests(SEEN.payments.values())
    assert not judging.rests([REFUSED, replace(PAID, charge=ChargeStanding.ASKED)])
    assert not judging.rests([REFUSED, replace(PAID, charge=ChargeStanding.CANCELLING)])
    assert not judging.rests([replace(BACK, captures=captured(RefundStanding.ASKED, "b-2"))])


@pytest.mark.parametrize(
    ("status", "seen"),
    [
        (0, SEEN),
        (1, changed(SEEN, dead=1)),
        (5, changed(SEEN, doubts=0)),
        (1, changed(SEEN, dead=1, doubts=0)),
    ],
)
def test_the_exit_status_says_whether_it_is_money_or_too_few_orders(status: int, seen: Seen) -> None:
    """A promise that is broken weighs more than one that was not tried."""
    assert Report(1, 3, 9, 2, 1, 1, 3, 60.0, [], judging.verdicts(seen), []).status == status


@pytest.mark.parametrize(("given", "said"), [("many", "invalid _some value"), ("0", "0 orders are none")])
def test_the_command_wants_some_orders(given: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What makes no sense is refused before anything starts."""
    with pytest.raises(SystemExit):
        main(["--orders", given])
    assert said in capsys.readouterr().err
