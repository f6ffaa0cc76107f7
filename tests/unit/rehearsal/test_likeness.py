"""Of trials that are alike one is tried for all: what is found is the same as if each had been tried."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from magnetar.runtime.cli import rehearsing
from magnetar.runtime.cli.gating import working_of
from magnetar.runtime.rehearsal import Left, Trial, Way, trials_of
from magnetar.runtime.rehearsal import rehearsing as trying
from magnetar.runtime.rehearsal.likeness import in_stead
from magnetar.schemas import Kept, Schema, gate
from tests.unit.rehearsal.releases import Handler, Kind, Release, app_of, drawn, quiet, registry_of

SAMPLES_LEFT = rehearsing.samples_left

LEFT = Left("shop.Place", "1", "text", b"body")
STATE = Left("shop.Order", "1", "text of it", b"state")
TRIAL = Trial(Way.PARKED, "orders", "left-0", "shop.Place", "orders/0", LEFT, STATE)
SAME = {
    "the version": TRIAL._replace(message=LEFT._replace(version="2"), state=STATE._replace(version="")),
    "the key and which sample it is": TRIAL._replace(key="left-1", nth=3),
}
OTHERS = {
    "the way": TRIAL._replace(way=Way.LETTER),
    "the actor": TRIAL._replace(actor="stock"),
    "the type": TRIAL._replace(type="shop.Cancel"),
    "the source": TRIAL._replace(source="stock-events/0"),
    "the message's value": TRIAL._replace(message=LEFT._replace(body=b"bodY")),
    "the message's schema": TRIAL._replace(message=LEFT._replace(text="texT")),
    "the state's value": TRIAL._replace(state=STATE._replace(body=b"statE")),
    "the state's schema": TRIAL._replace(state=STATE._replace(text="text of iT")),
    "no state": TRIAL._replace(state=None),
}


@pytest.mark.parametrize("name", SAME)
def test_what_differs_in_names_alone_is_alike(name: str) -> None:
    """The first of them stands for it."""
    found = in_stead([TRIAL, SAME[name]._replace(number=1)])
    assert found == {0: TRIAL, 1: TRIAL}


@pytest.mark.parametrize("name", OTHERS)
def test_whatever_a_handler_could_tell_apart_is_tried(name: str) -> None:
    """One bit of what it meets, or how it meets it."""
    other = OTHERS[name]._replace(number=1)
    assert in_stead([TRIAL, other]) == {0: TRIAL, 1: other}


def test_an_unsent_message_is_always_tried() -> None:
    """Its key is its own, and other samples may have left a state there."""
    first = TRIAL._replace(way=Way.UNSENT, state=None)
    assert in_stead([first, first._replace(number=1)])[1].number == 1


@settings(max_examples=30)
@given(st.integers(0, 2**32))
def test_what_is_found_is_the_same_with_each_sample_tried(seed: int) -> None:
    """Each under its own version's schema, by itself: the same rule, path, reason and versions."""
    releases, handler = drawn(seed)
    assert found(releases, handler) == found_by_all(releases, handler)


def test_those_releases_are_worth_something() -> None:
    """Many of them are stuck, in some versions and not in all; and many trials are spared."""
    stuck = spared = 0
    for seed in range(40):
        releases, handler = drawn(seed)
        findings = found(releases, handler)
        stuck += bool(findings)
        trials = trials_of(app_of(releases[-1], quiet).wire(), left_by(releases))
        spared += len(trials) - len({id(each) for each in in_stead(trials).values()})
    assert stuck >= 5
    assert spared >= 100


@settings(max_examples=60)
@given(st.integers(0, 2**32))
def test_a_restated_sample_is_the_value_that_its_own_bytes_are(seed: int) -> None:
    """As the codec itself resolves them: encoded again they are the same to the last bit."""
    releases, _ = drawn(seed)
    working, registry = working_of(app_of(releases[-1], quiet).wire()), registry_of(releases)
    own, restated = as_they_are(registry, working), rehearsing.samples_left(registry, working)
    for name, lefts in restated.items():
        codec = working.contracts[name].codec
        assert codec is not None
        for mine, left in zip(own[name], lefts, strict=True):
            if mine != left:
                assert value(codec, mine) == value(codec, left)


# one way in which a version in the middle is not like its neighbours, each

NUMBER, OTHER = ("number1", "number", 0), ("number2", "number", 0)


def trips_where(condition: Callable[[Any], bool]) -> Handler:
    """A handler that trips over some states."""

    def handler(state: Any, message: Any) -> None:
        if condition(state):
            raise KeyError(type(message).__name__)

    return handler


MIDDLES: dict[str, tuple[list[Release], Handler, tuple[str, ...]]] = {
    "it lacks a field, and gets its default": (
        [Release((NUMBER,)), Release((NUMBER, OTHER)), Release((OTHER,)), Release((OTHER, ("number1", "number", 20)))],
        trips_where(lambda state: state.number1 == 20),
        ("3",),
    ),
    "its own default is another": (
        [Release((("number1", "number", each), OTHER)) for each in (0, 20, 7, 0)],
        trips_where(lambda state: state.number1 == 20),
        ("2",),
    ),
    "its default is of another symbol": (
        [Release((("kind1", "kind", each), OTHER)) for each in (Kind.PLAIN, Kind.GIFT, Kind.PLAIN, Kind.PLAIN)],
        trips_where(lambda state: state.kind1 is Kind.GIFT and state.number2 == 0),
        ("2",),
    ),
    "its default is of another branch": (
        [Release((("maybe1", "maybe", None), OTHER)), Release((OTHER,)), Release((("maybe1", "maybe", None), OTHER))],
        trips_where(lambda state: state.maybe1 is None and 0 < state.number2 < 1 << 40),
        ("2",),
    ),
}


@pytest.mark.parametrize("name", MIDDLES)
def test_a_version_that_is_not_like_its_neighbours_is_tried(name: str) -> None:
    """And it alone is named."""
    releases, handler, versions = MIDDLES[name]
    findings = found(releases, handler)
    assert len(findings) == 2, "for each message that the actor handles"
    for each in findings:
        assert each.contract == "shop.Order"
        assert {*each.versions, *each.others} == {*versions, gate.WORKING}
    assert found_by_all(releases, handler) == findings


def _each_for_itself(trials: Sequence[Trial]) -> dict[int, Trial]:
    return {each.number: each for each in trials}


def _nothing_is(*texts: str) -> bool:
    return not texts


def found(releases: list[Release], handler: Handler) -> list[gate.Finding]:
    """What `magnetar schema check` finds after its gate."""
    app = app_of(releases[-1], handler)
    return rehearsing.stuck_findings(app, registry_of(releases), working_of(app.wire()), gate.Settings())


def found_by_all(releases: list[Release], handler: Handler) -> list[gate.Finding]:
    """The same where nothing stands for anything else."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trying, "in_stead", _each_for_itself)
        patch.setattr(rehearsing, "samples_left", as_they_are)
        return found(releases, handler)


def as_they_are(registry: gate.Registry, working: gate.Working) -> dict[str, list[Left]]:
    """Samples under their own versions' schemas."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rehearsing, "alike", _nothing_is)
        return SAMPLES_LEFT(registry, working)


def left_by(releases: list[Release]) -> dict[str, list[Left]]:
    """As the check hands them in."""
    working = working_of(app_of(releases[-1], quiet).wire())
    return rehearsing.samples_left(registry_of(releases), working)


def value(codec: Any, left: Left) -> bytes:
    """What the type of today makes of a sample."""
    encoded: bytes = codec.encode(codec.decode(left.body, Schema.parse(left.text), Kept(left.contract, "sample")))
    return encoded
