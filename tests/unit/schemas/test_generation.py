"""The committed files: made from the types, compared with them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from magnetar.schemas import ContractInvalid, Contracts, Event, Schema, drift, generate, schema_of
from tests.unit.schemas.shop import Order, Overdue, Paid, Place, made

CONTRACTS = Contracts(
    namespace="shop",
    bodies=[Place, Paid, Overdue, Order],
    topics={"orders": [Place, Overdue], "orders-events": [Paid]},
)
NAMES = [
    "shop.Order.avsc",
    "shop.Overdue.avsc",
    "shop.Paid.avsc",
    "shop.Place.avsc",
    "topics/orders-events.avsc",
    "topics/orders.avsc",
]


def test_every_contract_gets_its_file(tmp_path: Path) -> None:
    """Bodies by full name, topics by topic; indented JSON with a newline at the end, equal to the schema."""
    written = generate(CONTRACTS, tmp_path)
    assert sorted(path.relative_to(tmp_path).as_posix() for path in written) == NAMES
    text = (tmp_path / "shop.Place.avsc").read_text(encoding="utf-8")
    assert text.endswith("}\n")
    assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"
    assert Schema.parse(text) == schema_of(Place)
    assert drift(CONTRACTS, tmp_path) == []


def test_generating_again_writes_nothing(tmp_path: Path) -> None:
    """Only what differs is touched."""
    generate(CONTRACTS, tmp_path)
    assert generate(CONTRACTS, tmp_path) == []
    (tmp_path / "shop.Place.avsc").write_text("{}", encoding="utf-8")
    assert generate(CONTRACTS, tmp_path) == [tmp_path / "shop.Place.avsc"]


def test_drift_names_what_is_missing_changed_or_left_over(tmp_path: Path) -> None:
    """One line a file, with what to do."""
    generate(CONTRACTS, tmp_path)
    (tmp_path / "shop.Place.avsc").unlink()
    path = tmp_path / "topics" / "orders.avsc"
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    (tmp_path / "shop.Old.avsc").write_bytes(b"\xff")
    (tmp_path / "topics" / "old.avsc").write_text("", encoding="utf-8")
    assert drift(CONTRACTS, tmp_path) == [
        "shop.Place.avsc: is missing; generate it",
        "topics/orders.avsc: differs from its type; generate it anew",
        "shop.Old.avsc: no contract stands behind it; remove the file",
        "topics/old.avsc: no contract stands behind it; remove the file",
    ]


def test_a_changed_document_is_a_drift(tmp_path: Path) -> None:
    """Docs are part of the file, though not of the fingerprint."""
    generate(CONTRACTS, tmp_path)
    path = tmp_path / "shop.Place.avsc"
    path.write_text(path.read_text(encoding="utf-8").replace("Asks for", "Wants"), encoding="utf-8")
    assert len(drift(CONTRACTS, tmp_path)) == 1


def test_everything_is_missing_from_an_empty_folder(tmp_path: Path) -> None:
    """Also from one that is not there."""
    assert len(drift(CONTRACTS, tmp_path / "nowhere")) == len(NAMES)


def test_a_topic_that_is_no_file_name_is_refused(tmp_path: Path) -> None:
    """Nothing is written outside the folder."""
    with pytest.raises(ContractInvalid, match="a file is named after it"):
        generate(Contracts("shop", [], {"../orders": [Place]}), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_two_bodies_of_one_name_are_refused(tmp_path: Path) -> None:
    """One file cannot hold both."""
    twin = made(Event, "Place", {"__namespace__": "shop"})
    with pytest.raises(ContractInvalid) as caught:
        generate(Contracts("shop", [Place, twin, Paid], {}), tmp_path)
    assert caught.value.problems == ("shop.Place is the name of several types",)
