"""What an earlier release has left, as rows of every kind, is read, handled and saved by the code of today."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from magnetar.runtime import Dependency, replace
from magnetar.runtime.rehearsal import Left, Way, rehearse, trials_of
from magnetar.runtime.rehearsal.rehearsing import SETTLED, Rehearsal, readable
from magnetar.runtime.store.port import Disposition
from magnetar.schemas import Kept, upcast
from tests.unit.rehearsal.left_behind import (
    Charge,
    Charged,
    ChargeUnknown,
    Order,
    Overdue,
    Place,
    Refused,
    Which,
    grown,
    on_topic,
    samples,
    shop,
    together,
)
from tests.unit.schemas.shop import made

UNKNOWN = ChargeUnknown(idempotency_key="k", attempts=1, sent=False, error="none")
FIRST = together(
    samples("1", Order(placed=4), Order(), Overdue(days=2), Charge(cents=5), Charged(cents=5), UNKNOWN),
    on_topic("1", Place(order="o-1"), Refused(order="o-2")),
)
LARGER = grown(Order, note=(str, ""))


def stuck(app: Any, left: dict[str, list[Left]]) -> set[tuple[str, str, str, str]]:
    """Contract, version, path and reason of what is stuck."""
    return {(each.about.contract, each.about.version, each.path, each.reason) for each in rehearse(app, left)}


def test_every_kind_of_row_is_tried() -> None:
    """Each sample of a state with each message that is handled, a full sample of a message in every way."""
    trials = trials_of(shop().wire(), FIRST)
    ways = {(each.way, each.type.rpartition(".")[2]) for each in trials if each.state is None}
    assert ways == {
        *((way, kind) for way in (Way.PARKED, Way.LETTER, Way.UNSENT) for kind in ("Place", "Refused")),
        *((way, kind) for way in (Way.PARKED, Way.LETTER) for kind in ("Charged", "ChargeUnknown")),
        *((way, "Overdue") for way in (Way.PARKED, Way.LETTER, Way.TIMER)),
        (Way.EFFECT, "Charge"),
    }
    handled = ("Place", "Refused", "Overdue", "Charged", "ChargeUnknown")
    stepped = {(each.type.rpartition(".")[2], each.nth) for each in trials if each.state is not None}
    assert stepped == {(kind, nth) for kind in handled for nth in (0, 1)}
    assert len({each.id for each in trials}) == len({each.key for each in trials}) == len(trials)


def test_other_samples_than_the_full_one_are_parked_only() -> None:
    """It is their bytes that differ, and all ways read them alike."""
    left = on_topic("1", Place(order="full"), Place(order="least"))
    assert [(each.way, each.nth) for each in trials_of(shop().wire(), left)] == [
        (Way.PARKED, 0),
        (Way.LETTER, 0),
        (Way.UNSENT, 0),
        (Way.PARKED, 1),
    ]


def test_what_the_release_itself_has_left_is_handled() -> None:
    """Also what a handler refuses."""
    assert stuck(shop(), FIRST) == set()


def test_a_state_of_before_is_loaded_stepped_and_saved_as_the_newest_version() -> None:
    """The new schema's bytes, with the old fields in them; the outside was asked; all is applied."""
    app = shop(LARGER)
    trials, _ = readable(app.wire(), trials_of(app.wire(), FIRST))
    rehearsal = Rehearsal(app, trials, FIRST)
    rehearsal.advance(SETTLED)
    views, codec = rehearsal.database.views(), app.wire().actors["orders"].codec
    [placed] = [each for each in trials if each.state and each.type == "shop.Place" and each.nth == 0]
    row = views.state("orders", placed.key)
    assert row is not None
    assert (row.schema, row.version) == (codec.schema.fingerprint, 2)
    assert codec.decode(row.body, codec.schema, Kept("orders", placed.key)) == LARGER(placed=3, note="")
    for trial in trials:
        entry = views.entry("orders", trial.id)
        if trial.type not in {"shop.Refused", "shop.Charge"}:
            assert entry is not None
            assert entry.disposition == Disposition.APPLIED, trial
    assert [request for request, _ in rehearsal.calls(Charge)] == [Charge(cents=5)]
    views.close()
    rehearsal.close()


def test_a_state_that_cannot_be_loaded_is_named() -> None:
    """With contract, version, path and reason; nothing else of it is tried."""
    [found] = [each for each in stuck(shop(as_text(Order, "placed")), FIRST) if each[0] == "shop.Order"]
    assert found == ("shop.Order", "1", "$.placed", "was written as long, but is read as string")


def test_a_message_that_cannot_be_read_is_named() -> None:
    """The same of what is parked, dead, unsent or armed."""
    place = grown(Place, gift=(str, ""))
    refused = together(FIRST, on_topic("2", place(order="o-1", gift="a pen")))
    assert stuck(shop(place=place), refused) == set()
    found = stuck(shop(timer=as_text(Overdue, "days")), FIRST)
    assert found == {("shop.Overdue", "1", "$.days", "was written as long, but is read as string")}


def test_a_handler_that_stumbles_over_what_a_version_lacks_is_found() -> None:
    """A full sample of today has the field, one of before its default: only that one divides by zero."""
    state = grown(Order, parcels=(int, 0))

    def placed(order: Any, message: Any) -> Any:
        return replace(order, placed=order.placed // order.parcels)

    now = samples("", state(placed=4, parcels=2), state())
    found = stuck(shop(state, placed=placed), together(FIRST, now))
    reason = "its handler of shop.Place raises ZeroDivisionError: integer division or modulo by zero"
    assert found == {("shop.Order", "1", "$", reason)}


def test_a_handler_that_stumbles_over_what_is_written_today_has_no_version_to_blame() -> None:
    """The same, where the field was there before."""

    def placed(order: Any, message: Any) -> Any:
        return replace(order, placed=1 // (order.placed - 4))

    now = samples("", Order(placed=4), Order())
    assert stuck(shop(placed=placed), together(FIRST, now)) == set()


def test_a_state_that_cannot_be_saved_is_found() -> None:
    """A handler that makes of an old state what its schema cannot hold; not of a new one, nor of a key never seen."""
    state = grown(Order, parcels=(int, 2))

    def placed(order: Any, message: Any) -> Any:
        return replace(order, parcels="two" if order.placed and order.parcels == 2 else order.parcels)

    now = together(samples("", state(placed=4, parcels=3), state()), on_topic("", Place(order="o-1")))
    found = stuck(shop(state, placed=placed), together(FIRST, now))
    reason = "its handler of shop.Place raises EncodeFailed: cannot encode shop.Order at $.parcels: "
    assert found == {("shop.Order", "1", "$.parcels", f"{reason}Expected `int`, got `str`")}


def test_a_dependency_that_lets_few_through_is_waited_for() -> None:
    """Its budget is one call in fifty seconds of the rehearsal's own time."""
    left = together(FIRST, samples("2", *(Charge(cents=cents) for cents in range(5))))
    assert stuck(shop(psp=Dependency("psp", rate=0.02, burst=1)), left) == set()


def test_what_was_released_before_an_upcast_goes_on_through_it() -> None:
    """States, messages and timers of each version; a sample that does not get through is named with its version."""
    state = lifted(Order, lambda old: {"boxes": old.placed})
    timer = lifted(Overdue, lambda old: {"boxes": old.days})
    place = lifted(Place, lambda old: {"order": old.order, "boxes": 1}, order=Which)
    assert stuck(shop(state, place=place, timer=timer, counts="boxes"), FIRST) == set()
    broken = lifted(Order, lambda old: {"boxes": 12 // old.placed})
    [(name, version, path, reason)] = stuck(shop(broken, counts="boxes"), FIRST)
    assert (name, version, path) == ("shop.Order", "1", "$")
    assert "raised ZeroDivisionError: integer division or modulo by zero" in reason


def lifted(cls: type[Any], fields: Callable[[Any], dict[str, Any]], **more: Any) -> type[Any]:
    """What the contract is after an upcast: a field `boxes`, and more."""
    found: list[type[Any]] = []
    lift = upcast(cls)(lambda old: found[0](**fields(old)))
    body = {"__namespace__": "shop", "__annotations__": {**more, "boxes": int}, "boxes": 0, "lift": lift}
    found.append(made(cls.__bases__[0], cls.__name__, body))
    return found[0]


def as_text(cls: type[Any], field: str) -> type[Any]:
    """The same contract with a field that has become a text."""
    body = {"__namespace__": "shop", "__annotations__": {field: str}, field: ""}
    found: type[Any] = made(cls.__bases__[0], cls.__name__, body)
    return found
