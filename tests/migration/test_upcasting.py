"""A store that released code has written, and code that upcasts all of it: states, armed timers, unsent messages."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from magnetar.runtime.compose.places import EmbeddedBus, bus_place, provision_embedded, store_place
from magnetar.runtime.compose.running import RunningWorker
from magnetar.runtime.operate.holding import survey
from magnetar.schemas import Kept, Schema
from tests.migration.later_bank import LATER, Account, Branch

if TYPE_CHECKING:
    from magnetar.runtime.store.views import Views
    from tests.migration.releases import Code
    from tests.migration.story import Story

PATIENCE = 20.0


def states(views: Views, actor: str) -> dict[str, object]:
    """By key, each read with the schema it was written with."""
    codec, texts = LATER.wire().actors[actor].codec, views.schemas()
    return {
        row.key: codec.decode(row.body, Schema.parse(texts[row.schema]), Kept(actor, row.key, row.schema))
        for row in views.states_of(actor)
    }


def test_what_a_release_has_left_goes_through_the_upcasts(story: Story, old: Code) -> None:
    """It was killed with a decision unsent and an hour's timer armed; newer code sends, fires, steps and saves it."""
    story.deposit("a")
    story.die(old)
    amount = story.made[0].amount
    story.pass_an_hour()
    store, bus = store_place(story.place.url), bus_place("memory:", LATER.name)
    assert isinstance(bus, EmbeddedBus)
    held = store.held()
    assert survey(held, LATER.wire()).well
    held.close()
    provision_embedded(bus.broker, LATER.wire())
    worker = RunningWorker(LATER.wire(), bus, store)
    worker.start()
    try:
        views, deadline = store.views(), time.monotonic() + PATIENCE
        while views.unsent_of("accounts") or views.timers_of("accounts", "a") or not views.state("accounts", "a"):
            assert time.monotonic() < deadline
            assert not worker.wait(0.01), worker.failure
        wanted = {"a": Account(cents=amount * 100, counted=amount * 100, reminded=7)}
        while states(views, "accounts") != wanted:
            assert time.monotonic() < deadline, states(views, "accounts")
            assert not worker.wait(0.01), worker.failure
        worker.drain(PATIENCE)
        assert list(states(views, "branches").values()) == [Branch(total=amount * 100)]
        newest = LATER.wire().actors["accounts"].codec.schema.fingerprint
        assert {row.schema for row in views.states_of("accounts")} == {newest}
        views.close()
    finally:
        worker.kill()  # does nothing after the drain
