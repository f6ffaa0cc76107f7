"""What is released is frozen: a release is found again as it was made, and a changed byte anywhere is seen."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from magnetar.schemas import Contracts, gate
from magnetar.schemas.gate import releasing
from magnetar.schemas.gate.registry import rendered
from tests.unit.schemas.shop import Order, Overdue, Paid, Place

if TYPE_CHECKING:
    from collections.abc import Callable

CONTRACTS = Contracts("shop", [Place, Paid, Overdue, Order], {"orders": [Place, Overdue], "orders-events": [Paid]})
WORKING = gate.working_of(CONTRACTS, {"orders": ("shop.Place",)}, 0)
WHEN, WHY = "2026-01-01T00:00:00Z", "the first of all"


def noted(working: gate.Working, name: str, note: str) -> gate.Working:
    """The same contracts with another documentation in one: its file is another one, and nothing breaks."""
    contract = working.contracts[name]
    schema = json.loads(contract.text) | {"doc": note}
    changed = replace(contract, text=json.dumps(schema, indent=2) + "\n")
    return replace(working, contracts={**working.contracts, name: changed})


def released(directory: Path, *versions: gate.Working) -> gate.Registry:
    """Release them one after the other."""
    for working in versions:
        planned = gate.plan(gate.load(directory), working, WHEN, WHY, "0.1")
        assert planned is not None
        gate.publish(planned, directory)
    return gate.load(directory)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A folder with two releases; the second has a new version of one contract."""
    released(tmp_path, WORKING, noted(WORKING, "shop.Paid", "Paid for good."))
    return tmp_path


def test_a_release_is_found_again_as_it_was_made(directory: Path) -> None:
    """When, why, what is sent; a version only where a file has changed; samples of each."""
    registry = gate.load(directory)
    assert registry.problems == []
    assert [(each.release, each.label, each.made, each.reason) for each in registry.releases] == [
        (1, "0.1", WHEN, WHY),
        (2, "0.1", WHEN, WHY),
    ]
    assert {name: [each.number for each in versions] for name, versions in registry.versions.items()} == {
        "shop.Order": [1],
        "shop.Overdue": [1],
        "shop.Paid": [1, 2],
        "shop.Place": [1],
        "topics/orders": [1],
        "topics/orders-events": [1],
    }
    assert registry.releases[1].sends == {"orders": ("shop.Place",)}
    assert all(version.golden for versions in registry.versions.values() for version in versions)
    newest = registry.newest("shop.Paid")
    assert newest is not None
    assert (newest.text, newest.release.release) == (
        noted(WORKING, "shop.Paid", "Paid for good.").contracts["shop.Paid"].text,
        2,
    )


def test_what_has_not_changed_is_not_released_again(directory: Path) -> None:
    """But new senders, or another generation, are a release of their own: the order of releases is proven by them."""
    same = noted(WORKING, "shop.Paid", "Paid for good.")
    registry = gate.load(directory)
    assert gate.plan(registry, same, WHEN, WHY) is None
    for other in (replace(same, generation=1), replace(same, sends={})):
        planned = gate.plan(registry, other, WHEN, WHY)
        assert planned is not None
        assert (planned.fresh, planned.files) == ((), {})


def test_a_release_that_was_cut_short_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After any of its files; what it has left is named, and the next run writes over it."""
    planned = gate.plan(gate.load(tmp_path), WORKING, WHEN, WHY)
    assert planned is not None
    write: Callable[[Path, bytes], None] = releasing._write
    for cut in range(len(planned.files) + 1):
        left = [cut]

        def cutting(path: Path, data: bytes, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise OSError("no space left")
            write(path, data)

        monkeypatch.setattr(releasing, "_write", cutting)
        with pytest.raises(OSError, match="no space"):
            gate.publish(planned, tmp_path)
        registry = gate.load(tmp_path)
        assert registry.releases == []
        assert len(registry.problems) == cut
    monkeypatch.undo()
    gate.publish(planned, tmp_path)
    assert gate.load(tmp_path).problems == []


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_changed_byte_is_seen(directory: Path, data: st.DataObject) -> None:
    """In any file, at any place."""
    files = sorted(path for path in (directory / "released").rglob("*") if path.is_file())
    path = data.draw(st.sampled_from(files))
    before = path.read_bytes()
    at = data.draw(st.integers(0, len(before) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != before[at]))
    try:
        path.write_bytes(before[:at] + bytes([byte]) + before[at + 1 :])
        found = gate.load(directory).problems
    finally:
        path.write_bytes(before)
    assert {each.rule for each in found} == {"released-file"}
    assert any(str(path.relative_to(directory)) == each.file for each in found)


def test_a_file_that_is_gone_or_too_many_is_seen(directory: Path) -> None:
    """A version's, a release's, a stranger."""
    for path in sorted(path for path in (directory / "released").rglob("*") if path.is_file()):
        data = path.read_bytes()
        path.unlink()
        assert gate.load(directory).problems, path
        path.write_bytes(data)
    (directory / "released" / "shop.Paid" / "3.avsc").write_text("{}", encoding="utf-8")
    [problem] = gate.load(directory).problems
    assert (problem.file, problem.reason.partition(";")[0]) == (
        "released/shop.Paid/3.avsc",
        "no release lists this file",
    )


def test_a_release_that_was_written_anew_is_seen(directory: Path) -> None:
    """Also with a right seal: the release after it has kept its SHA-256."""
    registry = gate.load(directory)
    path = directory / "released" / "0001.json"
    first = registry.releases[0]
    forged = gate.Release(1, "", WHEN, "another reason", 0, "", first.contracts, first.sends)
    path.write_text(rendered(forged), encoding="utf-8")
    assert [each.file for each in gate.load(directory).problems] == ["released/0002.json"]


def test_settings_without_a_reason_are_refused(tmp_path: Path) -> None:
    """Also unknown names, and excuses from what cannot be excused."""
    for text, said in [
        ('[contracts."shop.Paid"]\nmode = "NONE"', "reason"),
        ('[contracts."shop.Paid"]\nmode = "NONE"\nreason = " "', "needs a reason"),
        ('[contracts."shop.Paid"]\nmode = "FULL"\nreason = "so"', "Invalid enum value 'FULL'"),
        ('[[allow]]\nrule = "golden"\ncontract = "a"\npath = "$"\nreason = "so"', "cannot be allowed"),
        ('[[allow]]\nrule = "goldn"\ncontract = "a"\npath = "$"\nreason = "so"', "there is no rule"),
        ("[other]", "unknown field"),
        ("=", "Invalid"),
    ]:
        (tmp_path / "gate.toml").write_text(text, encoding="utf-8")
        with pytest.raises(gate.GateInvalid, match=said):
            gate.load_settings(tmp_path)
