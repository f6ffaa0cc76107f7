"""What a key asks of the outside is shown as it stands, and told in its timeline."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import TYPE_CHECKING

from rich.console import Console

from magnetar.runtime import World
from magnetar.runtime.cli.key_pictures import key_picture, timeline_picture
from magnetar.runtime.operate import keys
from magnetar.runtime.operate.key_names import KeyName
from tests.unit.worker.shopfront import Charge, Charged, Pay, payments, shopfront

if TYPE_CHECKING:
    from rich.console import RenderableType

    from magnetar.runtime import Call

START = datetime(2026, 1, 1, tzinfo=UTC)
NAME = KeyName("payments", "o-1")


def torn(request: Charge, call: Call) -> Charged:
    """The first answer gets lost."""
    if call.attempt == 1:
        raise ConnectionError("reset by peer")
    return Charged(reference=request.order)


def drawn(picture: RenderableType) -> str:
    """As a wide terminal shows it."""
    console = Console(file=StringIO(), width=200, color_system=None)
    console.print(picture)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_an_effect_in_doubt_is_shown_with_its_key_and_its_error() -> None:
    """Who looks at a key sees what may have been done, and when it is asked again."""
    with World(shopfront, effects={Charge: torn}, start=START) as world:
        world.send(Pay(order="o-1", amount=7))
        report = keys.show(world.database.views(), NAME)
        [effect] = report.effects
        assert effect.idempotency_key == world.state(payments, "o-1").keys[0]
        assert (effect.dependency, effect.state, effect.attempts, effect.doubtful) == ("psp", "unknown", 1, 1)
        assert (effect.due, effect.content.value) == (START + timedelta(seconds=1), {"order": "o-1", "amount": 7})
        text = drawn(key_picture(report, START))
        assert "Charge of psp may have been done, 1 attempt, asked again at" in text
        assert effect.idempotency_key in text
        assert "ConnectionError: reset by peer" in text


def test_a_timeline_tells_what_was_asked_and_what_was_told() -> None:
    """With the idempotency key under which the other side knows it."""
    with World(shopfront, effects={Charge: torn}, start=START) as world:
        world.send(Pay(order="o-1"))
        world.advance(1)
        story = keys.timeline(world.database.views(), NAME, 10)
        asked, told = story.messages
        assert [(each.type, each.dependency) for each in asked.asked] == [("tests.Charge", "psp")]
        assert (told.type, told.source, told.causation_id) == ("tests.Charged", "effect", asked.message_id)
        assert keys.show(world.database.views(), NAME).effects == []
        text = drawn(timeline_picture(story, 200))
        assert f"asks psp for Charge  key {asked.asked[0].idempotency_key}" in text
        assert "after it was told" in text
