"""The committed Avro of the shop is what its types are now."""

from __future__ import annotations

from pathlib import Path

from magnetar.actors.charging.shop import SHOP
from magnetar.runtime.cli.contracts import contracts_of
from magnetar.schemas import commerce, drift, generate

AVRO = Path(commerce.__file__).parent / "avro"


def test_the_committed_schemas_are_those_of_the_types() -> None:
    """`magnetar schema generate magnetar.actors.charging.shop:SHOP --out …/commerce/avro` writes them anew."""
    assert drift(contracts_of(SHOP.wire()), AVRO) == []


def test_a_drift_would_be_seen(tmp_path: Path) -> None:
    """A changed file, a missing one and one too many are each told."""
    contracts = contracts_of(SHOP.wire())
    generate(contracts, tmp_path)
    changed, missing = tmp_path / "magnetar.orders.Place.avsc", tmp_path / "magnetar.stock.Sell.avsc"
    changed.write_text(changed.read_text(encoding="utf-8").replace("10,000", "20,000"), encoding="utf-8")
    missing.rename(tmp_path / "magnetar.stock.Sale.avsc")
    assert [line.partition(":")[0] for line in drift(contracts, tmp_path)] == [
        "magnetar.orders.Place.avsc",
        "magnetar.stock.Sell.avsc",
        "magnetar.stock.Sale.avsc",
    ]
