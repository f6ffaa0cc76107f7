"""`magnetar schema check`, where shapes break nothing: an app's own handlers go on with what was released, or not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from magnetar.actors.charging.shop import SHOP
from magnetar.runtime import App, replace
from magnetar.runtime.cli.contracts import contracts_of
from magnetar.runtime.cli.gating import judged, working_of
from magnetar.runtime.cli.rehearsing import stuck_findings
from magnetar.schemas import commerce, gate, generate
from tests.acceptance.pages import page
from tests.unit.rehearsal.left_behind import Order, grown, shop

AVRO = Path(commerce.__file__).parent / "avro"
PARCELS = grown(Order, parcels=(int, 0))


def released(directory: Path, app: App) -> None:
    """The app's contracts are released."""
    generate(contracts_of(app.wire()), directory)
    planned = gate.plan(gate.load(directory), working_of(app.wire()), "2026-01-01T00:00:00Z", "the first")
    assert planned is not None
    gate.publish(planned, directory)


def divided(order: Any, message: Any) -> Any:
    """Takes for granted that every order has parcels."""
    return replace(order, placed=order.placed // order.parcels) if order.placed else order


def test_the_shop_goes_on_with_all_that_it_has_released() -> None:
    """States, timers, parked and dead messages, unsent ones and effects of every version."""
    working = working_of(SHOP.wire())
    assert stuck_findings(SHOP, gate.load(AVRO), working, gate.load_settings(AVRO)) == []


def test_a_handler_that_does_not_is_told_as_the_guide_shows_it(tmp_path: Path) -> None:
    """File, rule, path and versions, why, for whom, and what to do: in four lines."""
    released(tmp_path, shop())
    now = App("shop", *shop(PARCELS, placed=divided).actors, contracts=1)
    generate(contracts_of(now.wire()), tmp_path)
    [found] = judged(now, gate.load(tmp_path), tmp_path)
    assert (found.rule, found.contract, found.versions) == ("not-handled", "shop.Order", ("1", gate.WORKING))
    assert len(found.lines()) == 4
    assert "avro/" + "\n".join(found.lines()[:2]) in page("docs/guide/evolving-contracts.md")


def test_it_may_be_let_pass_with_a_reason(tmp_path: Path) -> None:
    """As other findings may."""
    released(tmp_path, shop())
    now = App("shop", *shop(PARCELS, placed=divided).actors, contracts=1)
    generate(contracts_of(now.wire()), tmp_path)
    text = '[[allow]]\nrule = "not-handled"\ncontract = "shop.Order"\npath = "$"\nreason = "none is stored"\n'
    (tmp_path / "gate.toml").write_text(text, encoding="utf-8")
    assert judged(now, gate.load(tmp_path), tmp_path) == []


def test_a_shape_that_breaks_is_told_first(tmp_path: Path) -> None:
    """What does not fit is not tried."""
    released(tmp_path, shop())
    now = shop(PARCELS, placed=divided)
    generate(contracts_of(now.wire()), tmp_path)
    assert {each.rule for each in judged(now, gate.load(tmp_path), tmp_path)} == {"state-generation"}


def test_before_the_first_release_nothing_is_tried(tmp_path: Path) -> None:
    """There is nothing that could have been left."""
    app = shop()
    assert stuck_findings(app, gate.load(tmp_path), working_of(app.wire()), gate.Settings()) == []
