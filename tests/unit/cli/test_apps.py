"""JSON becomes exactly the message that was meant, or an error that says where it is wrong and what belongs there."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from magnetar.runtime import App, AppInvalid, Remote
from magnetar.runtime.cli.apps import MOST_JSON, feed_of, message_of, wiring_of
from magnetar.runtime.cli.exits import AppBroken, BadInput
from magnetar.runtime.compose.errors import AppNotFound
from tests.unit.cli.shop import Captured, Line, Place, app
from tests.unit.schemas.strategies import structs

WIRING = app.wire()


@given(structs(Place))
def test_every_message_comes_back_from_its_json(message: Place) -> None:
    """What a message is written as is read as the very same message."""
    assert message_of(WIRING, "Place", msgspec.json.encode(message).decode()) == message


def test_values_are_read_in_their_usual_forms() -> None:
    """Dates in ISO 8601, decimals as text, nested records as objects."""
    text = '{"order_id": "o", "lines": [{"sku": "a", "quantity": 2}], "total": "9.90", "until": "2026-01-01T00:00:00Z"}'
    assert message_of(WIRING, "Place", text) == Place(
        order_id="o",
        lines=(Line(sku="a", quantity=2),),
        total=Decimal("9.90"),
        until=datetime(2026, 1, 1, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "missing required field `order_id`; Place has the fields order_id, lines\\?, total\\?, until\\?"),
        ('{"order_id": 1}', r"Expected `str`, got `int` - at `\$.order_id`"),
        ('{"order_id": "o", "lines": [{"sku": 1}]}', r"at `\$.lines\[0\].sku`"),
        ('{"order_id": "o", "not": 1}', r"it has no field \$.not"),
        ('{"order_id": "o", "lines": [{"sku": "a"}, {"sku": "b", "qty": 1}]}', r"it has no field \$.lines\[1\].qty"),
        ("{order_id: o}", "this is no JSON"),
        ("\ud800", "this is no JSON"),
        (" " * (MOST_JSON + 1), "no message can be that large"),
    ],
    ids=["missing", "wrong", "wrong inside", "unknown", "unknown inside", "no JSON", "no text", "too long"],
)
def test_wrong_json_is_told_with_its_path(text: str, said: str) -> None:
    """Also a field that does not exist: msgspec alone would drop it without a word."""
    with pytest.raises(BadInput, match=said):
        message_of(WIRING, "Place", text)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Plaice", "did you mean Place?"),
        ("Zzz", "there are Captured, Mail, Pay, Place, Placed, Reserve"),
        ("Overdue", "no message"),
    ],
)
def test_an_unknown_type_is_told_with_those_there_are(name: str, said: str) -> None:
    """A timer is none of them: nobody but its own key sends it."""
    with pytest.raises(BadInput, match=said):
        message_of(WIRING, name, "{}")


@given(st.text())
def test_any_name_is_a_type_or_bad_input(name: str) -> None:
    """No name raises anything else."""
    try:
        message_of(WIRING, name, '{"order_id": "o"}')
    except BadInput:
        return
    assert name.rpartition(".")[2] in {"Place", "Pay", "Placed", "Captured"}


def test_an_event_goes_to_its_publishers_feed() -> None:
    """And a command has none."""
    feed = feed_of(WIRING, Captured)
    assert feed is not None
    assert feed.name == "payments-events"
    assert feed_of(WIRING, Place) is None


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder of a command, from which modules are imported."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return tmp_path


@pytest.mark.parametrize(
    ("source", "error", "said"),
    [
        ("app = 1 +\n", AppBroken, "SyntaxError: invalid syntax .*line 1"),
        ("import nothing_like_it\n", AppBroken, "ModuleNotFoundError: No module named 'nothing_like_it' .*line 1"),
        ("app = 1\n", AppNotFound, "'app' in .* is int, not an App"),
        ("from magnetar.runtime import App\napp = App('')\n", AppInvalid, "app '' cannot start"),
    ],
    ids=["syntax", "import", "no app", "invalid"],
)
def test_an_app_that_cannot_be_had_is_told(folder: Path, source: str, error: type[Exception], said: str) -> None:
    """Whatever its module does wrong, with file and line where Python knows them."""
    name = f"app_{abs(hash(source))}"
    (folder / f"{name}.py").write_text(source, encoding="utf-8")
    with pytest.raises(error, match=said):
        wiring_of(f"{name}:app")


def test_a_command_with_two_publishers_of_an_event_cannot_choose() -> None:
    """An event that several topics carry is refused, not sent to the first."""
    two = App("two", *app.actors, remotes=[*app.remotes, Remote("other", publishes=[Captured])])
    with pytest.raises(BadInput, match="several topics"):
        feed_of(two.wire(), Captured)
