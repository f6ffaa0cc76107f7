"""What a contract class is: frozen, keyword-only, named, with at most one key."""

# pyright: reportDeprecated=false

from __future__ import annotations

import gc
from decimal import Decimal
from typing import Annotated, Any, Optional

import msgspec
import pytest

from magnetar.schemas import (
    Command,
    ContractInvalid,
    Digits,
    Key,
    Money,
    State,
    check_state,
    contract_name,
    key_field,
    replace,
    schema_of,
)
from magnetar.schemas.contracts import FrozenStruct
from tests.unit.schemas.shop import Line, Order, Overdue, Paid, Place


def test_a_contract_class_is_frozen_and_keyword_only_without_saying_so() -> None:
    """A required field may follow one with a default; positions and assignments are refused."""

    class Ask(Command):
        note: str = ""
        order_id: Key

    ask = Ask(order_id="o-1")
    assert (ask.order_id, ask.note) == ("o-1", "")
    with pytest.raises(AttributeError):
        ask.note = "changed"  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(TypeError):
        Ask("o-1")  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    assert not gc.is_tracked(ask)


@pytest.mark.parametrize("option", ["frozen", "kw_only", "gc"])
def test_a_contract_class_cannot_be_made_otherwise(option: str) -> None:
    """A mutable message is refused where it is written."""
    given: Any = {option: option == "gc"}
    with pytest.raises(TypeError, match=option):
        FrozenStruct("Loose", (Command,), {}, **given)


def test_the_full_name_is_the_namespace_and_the_class() -> None:
    """Declared on the class, on a base, or the first component of the module; `app` for a script."""

    class Plain(Command):
        pass

    class Below(Place):
        pass

    class Script(Command):
        __module__ = "__main__"

    class Bare(Command):
        __namespace__ = ""

    assert [contract_name(each) for each in (Plain, Place, Below, Script, Bare, Money)] == [
        "tests.Plain",
        "shop.Place",
        "shop.Below",
        "app.Script",
        "Bare",
        "magnetar.Money",
    ]


def test_the_key_is_the_marked_field() -> None:
    """None where no field is marked; two marks are an error that names them."""

    class Two(Command):
        order_id: Key
        other_id: Key

    assert (key_field(Place), key_field(Overdue), key_field(Line)) == ("order_id", None, None)
    with pytest.raises(ContractInvalid, match="order_id, other_id are all marked as Key"):
        key_field(Two)


def test_a_state_without_a_default_is_refused_for_every_field_at_once() -> None:
    """An unknown key is the default state, so every field needs one."""

    class Partly(State):
        known: int = 0
        first: str
        second: int

    check_state(Order)
    for check in (check_state, schema_of):
        with pytest.raises(ContractInvalid) as caught:
            check(Partly)
        assert [problem.partition(":")[0] for problem in caught.value.problems] == ["first", "second"]


def test_replace_returns_a_changed_copy() -> None:
    """The value itself stays; an unknown field is refused."""
    order = Order()
    changed = replace(order, text="other")
    assert (order.text == changed.text, changed.text) == (False, "other")
    with pytest.raises(TypeError):
        replace(order, nothing=1)


@pytest.mark.parametrize(("precision", "scale"), [(0, 0), (2, 3), (5, -1), (1001, 2)])
def test_impossible_digits_are_refused_where_they_are_written(precision: int, scale: int) -> None:
    """Avro allows 1 <= precision, 0 <= scale <= precision; ours end at 1000."""
    with pytest.raises(ValueError, match="precision"):
        Digits(precision, scale)


def test_the_types_of_the_fields_stay_what_they_are_to_a_checker() -> None:
    """Marks are metadata: `Key` is a str, an annotated Decimal is a Decimal."""
    hints = {field.name: field.type for field in msgspec.structs.fields(Paid)}
    assert hints["order_id"] == Key
    assert hints["maybe_amount"] == Optional[Annotated[Decimal, Digits(12, 2)]]  # noqa: UP045 - an annotated type takes no |
