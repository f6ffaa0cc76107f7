"""How the emulator is told to behave: scripts first, then chance, the same for the same seed."""

from __future__ import annotations

from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from magnetar.actors.providing import Charge, Receipt, Unsure
from magnetar.actors.providing.emulator.audit import charged_once
from magnetar.actors.providing.emulator.conduct import Behaving, Conduct, Manner, drawn
from magnetar.actors.providing.emulator.double import DoubleProvider
from tests.unit.actors.goods import euros


def test_scripts_go_before_chance() -> None:
    """The next ones for whoever comes, then each key's own, then by rates."""
    behaving = Behaving(Conduct(next=(Manner.CUTS,), keys={"a": (Manner.OK, Manner.LIES)}, rates={Manner.BUSY: 1.0}))
    asked = ["a", "a", "b", "a", "b"]
    assert [behaving.manner(key) for key in asked] == [Manner.CUTS, Manner.LIES, Manner.BUSY, Manner.BUSY, Manner.BUSY]
    assert behaving.conduct.next == ()
    behaving.become(Conduct(keys={"a": (Manner.SLOW,)}))
    assert [behaving.manner("a") for _ in range(2)] == [Manner.SLOW, Manner.OK]


@given(st.integers(0, 9), st.text("ab", min_size=1), st.integers(0, 9))
def test_chance_is_the_same_for_the_same(seed: int, key: str, turn: int) -> None:
    """By seed, key and turn, whatever else was asked; all or nothing is certain."""
    half = Conduct(seed=seed, rates={Manner.SLOW: 0.25, Manner.CUTS: 0.25})
    assert drawn(half, key, turn) is drawn(half, key, turn)
    assert drawn(half, key, turn) in {Manner.SLOW, Manner.CUTS, Manner.OK}
    assert drawn(Conduct(seed=seed), key, turn) is Manner.OK
    assert drawn(Conduct(seed=seed, rates={Manner.LIES: 1.0}), key, turn) is Manner.LIES


def test_rates_are_shares() -> None:
    """Over many keys each manner comes about as often as its rate says."""
    conduct = Conduct(seed=1, rates={Manner.SLOW: 0.2, Manner.CUTS: 0.3})
    found = [drawn(conduct, f"k-{number}", 0) for number in range(2_000)]
    assert 300 < found.count(Manner.SLOW) < 500
    assert 480 < found.count(Manner.CUTS) < 720


@pytest.mark.parametrize(
    "told", ['{"rates":{"slow":0.6,"cuts":0.5}}', '{"rates":{"slow":-1}}', '{"rates":{"kind":1}}', '{"sed":1}', "[]"]
)
def test_a_slip_in_what_is_told_is_refused(told: str) -> None:
    """Nothing is half understood."""
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(told, type=Conduct)


MANNERS = st.lists(st.sampled_from(sorted(set(Manner) - {Manner.REFUSES})), max_size=12)


@given(manners=MANNERS, seed=st.integers(0, 99))
def test_whoever_asks_until_there_is_an_answer_pays_once(manners: list[Manner], seed: int) -> None:
    """Whatever the provider does on the way: one charge for one key, and the receipt is the log's."""
    rates: dict[Manner, float] = dict.fromkeys(
        (Manner.CUTS, Manner.SILENT, Manner.LIES, Manner.FAILS, Manner.GARBLES), 0.15
    )
    provider = DoubleProvider(Conduct(next=tuple(manners), rates=rates, seed=seed))
    receipt = asked_until_sure(provider)
    assert [(entry.reference, entry.amount) for entry in provider.entries] == [(receipt.reference, 900)]
    assert list(charged_once(provider.entries)) == [None]


def asked_until_sure(provider: DoubleProvider) -> Receipt:
    """As a careful asker does it: the same key, until it is known."""
    for _ in range(200):
        with suppress(Unsure):
            return provider.charge("k-1", Charge("o-1", euros(900)))
    pytest.fail("no answer in 200 attempts")
