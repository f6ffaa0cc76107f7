"""The emulator's process is killed again and again under load: no order is charged twice, and nothing is forgotten."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from magnetar.actors.providing import Charge, ProviderError, Refund, Refused
from magnetar.actors.providing.emulator.audit import charged_once, paid_or_refunded
from magnetar.actors.providing.emulator.conduct import Conduct, Manner
from magnetar.actors.providing.emulator.process import ProviderProcess
from magnetar.actors.providing.over_http import HttpProvider
from magnetar.actors.providing.settings import ProviderSettings
from tests.unit.actors.goods import euros

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from pathlib import Path

    from magnetar.actors.providing import Receipt

ORDERS, KILLS, ASKERS = 60, 3, 8
UNPLEASANT = Conduct(
    rates=dict.fromkeys((Manner.SLOW, Manner.SILENT, Manner.CUTS, Manner.FAILS, Manner.LIES, Manner.TWICE), 0.06)
    | {Manner.REFUSES: 0.05},
    seconds=0.25,
)


def sure(ask: Callable[[], Receipt]) -> Receipt | None:
    """What came of it, asked until it is known; None: refused for good."""
    until = time.monotonic() + 90
    while True:
        try:
            return ask()
        except Refused:
            return None
        except ProviderError:
            assert time.monotonic() < until, "no answer in 90 s"
        time.sleep(0.02)


def trade(provider: HttpProvider, order_id: str, *, wanted: bool) -> Receipt | None:
    """Charge an order, and give the money back if it is not wanted after all."""
    charge = sure(lambda: provider.charge(f"{order_id}/charge", Charge(order_id, euros(500))))
    if charge is not None and not wanted:
        back = Refund(order_id, charge.reference, charge.amount)
        assert sure(lambda: provider.refund(f"{order_id}/refund", back)) is not None
    return charge


def test_killed_again_and_again_it_charges_once(tmp_path: Path, chance: random.Random) -> None:
    """SIGKILL in the middle of everything: who asks until it is known finds what the log says, and no second charge."""
    orders = {f"o-{number}": chance.random() < 0.7 for number in range(ORDERS)}
    with ProviderProcess(tmp_path / "log.jsonl") as process:
        process.behave(UNPLEASANT)
        settings = ProviderSettings(url=process.url, read_timeout=0.2)
        with HttpProvider(settings) as provider, ThreadPoolExecutor(ASKERS) as pool:
            found = {
                order_id: pool.submit(trade, provider, order_id, wanted=wanted) for order_id, wanted in orders.items()
            }
            for kill in range(1, KILLS + 1):
                _wait_for(process, ORDERS * kill // (KILLS + 1))
                process.kill()
                process.start()
                process.behave(UNPLEASANT)
        entries = process.entries()
    charged = {order_id: each.result() for order_id, each in found.items()}
    by_order = {entry.order_id: entry.reference for entry in entries if entry.what == "charged"}
    assert by_order == {order_id: receipt.reference for order_id, receipt in charged.items() if receipt is not None}
    assert [problem for problem in charged_once(entries) if problem] == []
    confirmed = {order_id: euros(500) for order_id in by_order if orders[order_id]}
    assert [problem for problem in paid_or_refunded(entries, confirmed) if problem] == []
    assert len(by_order) > ORDERS // 2


def _wait_for(process: ProviderProcess, charges: int) -> None:
    """Until the log has so many entries of charges."""
    until = time.monotonic() + 60
    while sum(entry.asked == "charge" for entry in process.entries()) < charges:
        assert time.monotonic() < until, f"no {charges} charges in 60 s"
        time.sleep(0.005)
