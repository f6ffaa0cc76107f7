"""How far a subscription is acknowledged is read right from what the broker says, and costs an opening little."""

from __future__ import annotations

from concurrent.futures import Future

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from magnetar.runtime.bus.port import BusUnavailable, Position, TopicMissing
from magnetar.runtime.bus.pulsar.admin import Admin
from magnetar.runtime.bus.pulsar.marks import Ledger, Mark, Marking, mark_of

MARK = Mark(Position(5, 2), frozenset({5}))


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Ledger], Position]:
    """Ledgers that are kept, and a mark-delete position in, between, before or behind them."""
    numbers = sorted(draw(st.sets(st.integers(1, 40), min_size=1, max_size=6)))
    ledgers = [Ledger(number, draw(st.integers(0, 5))) for number in numbers]
    inside = [(each.number, entry) for each in ledgers for entry in range(-1, each.entries)]
    ledger, entry = draw(st.sampled_from(inside) | st.tuples(st.integers(0, 41), st.just(-1)))
    return ledgers, Position(ledger, entry)


@given(histories())
def test_the_mark_is_the_last_acknowledged_message_that_is_kept(history: tuple[list[Ledger], Position]) -> None:
    """None when there is none, and never a position at which no message is."""
    ledgers, mark_delete = history
    kept = [Position(each.number, entry) for each in ledgers for entry in range(each.entries)]
    acknowledged = [each for each in kept if each <= mark_delete]
    mark = mark_of(mark_delete, ledgers)
    assert mark.acknowledged == (acknowledged[-1] if acknowledged else None)
    assert mark.ledgers == {each.number for each in ledgers}


def test_a_mark_in_a_ledger_that_is_gone_is_none() -> None:
    """Nothing of what is kept is acknowledged."""
    assert mark_of(Position(7, 49), [Ledger(23, 5)]).acknowledged is None


def test_an_open_ledger_tells_no_entries() -> None:
    """Its messages are acknowledged all the same."""
    assert mark_of(Position(7, 49), [Ledger(7, 0)]).acknowledged == Position(7, 49)


def test_the_rest_api_s_answer_is_read() -> None:
    """As Pulsar 4.0.8 gives it, with much that is of no use here."""
    insides = {
        "entriesAddedCounter": 8,
        "ledgers": [
            {"ledgerId": 7, "entries": 5, "size": 300, "offloaded": False},
            {"ledgerId": 9, "entries": 0, "size": 0},
        ],
        "cursors": {
            "s": {"markDeletePosition": "9:-1", "readPosition": "9:0"},
            "pulsar.dedup": {"markDeletePosition": "7:-1"},
        },
    }
    with Admin("http://broker", transport=httpx2.MockTransport(lambda _: httpx2.Response(200, json=insides))) as admin:
        mark = admin.mark("persistent://public/shop/orders-partition-0", "s")
        assert mark == Mark(Position(7, 4), frozenset({7, 9}))
        with pytest.raises(TopicMissing, match="magnetar-stranger"):
            admin.mark("persistent://public/shop/orders-partition-0", "magnetar-stranger")


@pytest.mark.parametrize(("status", "kind"), [(404, TopicMissing), (500, BusUnavailable)])
def test_trouble_of_the_rest_api_is_an_error(status: int, kind: type[Exception]) -> None:
    """And never a mark."""
    with (
        Admin("http://broker", transport=httpx2.MockTransport(lambda _: httpx2.Response(status))) as admin,
        pytest.raises(kind, match="orders-partition-0"),
    ):
        admin.mark("persistent://public/shop/orders-partition-0", "s")


class Clock:
    """Seconds, moved by the test."""

    now = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now


class Desk:
    """A subscription whose mark is asked for."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.asked: list[Future[Mark]] = []
        self.marking = Marking(self._ask, "s on orders", patience=1.0, delay=0.1, retry=0.2, clock=self.clock)

    def ask(self) -> None:
        """Poll until the question is put."""
        self.marking.poll()
        self.later(0.1)

    def _ask(self) -> Future[Mark]:
        self.asked.append(Future())
        return self.asked[-1]

    def later(self, seconds: float) -> Mark | None:
        """What is known then."""
        self.clock.now += seconds
        return self.marking.poll()


def test_the_mark_is_asked_for_once_and_waited_for() -> None:
    """A little after somebody wants to know it, and what was told stays."""
    desk = Desk()
    assert desk.later(0.5) is None
    assert desk.asked == []
    assert desk.later(0.1) is None
    desk.asked[0].set_result(MARK)
    assert desk.later(0.5) == MARK
    assert desk.later(50) == MARK
    assert len(desk.asked) == 1


def test_a_mark_that_is_late_is_not_known_yet(caplog: pytest.LogCaptureFixture) -> None:
    """The log says so, once; the question stays open, and its answer counts whenever it comes."""
    desk = Desk()
    for _ in range(5):
        assert desk.later(1.0) is None
    assert caplog.text.count("how far s on orders is acknowledged is not known yet") == 1
    assert len(desk.asked) == 1
    desk.asked[0].set_result(MARK)
    assert desk.later(0) == MARK


def test_a_failure_is_asked_again(caplog: pytest.LogCaptureFixture) -> None:
    """A little later, with the reason in the log; and a mark of nothing is an answer, too."""
    desk = Desk()
    desk.ask()
    desk.asked[0].set_exception(BusUnavailable("nobody at http://broker:8080"))
    assert desk.later(0) is None
    assert "nobody at http://broker:8080" in caplog.text
    assert desk.later(0.1) is None
    assert len(desk.asked) == 1
    assert desk.later(0.1) is None
    assert len(desk.asked) == 2
    nothing = Mark(None, frozenset())
    desk.asked[1].set_result(nothing)
    assert desk.later(0) == nothing


def test_a_defect_of_ours_is_not_taken_for_the_broker_s() -> None:
    """It is raised."""
    desk = Desk()
    desk.ask()
    desk.asked[0].set_exception(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        desk.marking.poll()


def test_a_bus_that_is_closed_meanwhile_leaves_it_unknown() -> None:
    """Closing cancels what is asked, and nothing can be asked any more."""
    desk = Desk()
    desk.ask()
    desk.asked[0].cancel()
    assert desk.later(5) is None
    assert len(desk.asked) == 1
