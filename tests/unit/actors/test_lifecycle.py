"""A lifecycle's table is checked when it is made, and drawn from what it holds."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, TypeAlias

import pytest

from magnetar.actors import Lifecycle, LifecycleInvalid, Transition, mermaid
from magnetar.actors.lifecycle import table
from magnetar.schemas import Command, Key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from magnetar.schemas import Message


class Lamp(enum.Enum):
    """On and off."""

    OFF = "off"
    ON = "on"
    BROKEN = "broken"


class Came(enum.Enum):
    """Outcomes."""

    LIT = "lit"
    DARK = "dark"
    BURST = "burst"
    NOTHING = "nothing"


class Fact(enum.Enum):
    """What may be true."""

    SURGE = "surge"


class Press(Command):
    """Push the button."""

    lamp: Key


class Hit(Command):
    """Throw a ball."""

    lamp: Key


Step = Transition[Lamp, Came, Fact, Fact, Fact]
LIT = Step(Came.LIT, Lamp.ON)
DARK = Step(Came.DARK, Lamp.OFF)
BURST = Step(Came.BURST, Lamp.BROKEN)
SURGED = Step(Came.BURST, Lamp.BROKEN, when=Fact.SURGE)
NOTHING = Step(Came.NOTHING)
Rows: TypeAlias = "Mapping[tuple[Lamp, ...], Mapping[type[Message], Sequence[Step]]]"
WHOLE: Rows = {
    (Lamp.OFF,): {Press: (SURGED, LIT)},
    (Lamp.ON,): {Press: (DARK,)},
    (Lamp.OFF, Lamp.ON): {Hit: (BURST,)},
    (Lamp.BROKEN,): {Press: (NOTHING,), Hit: (NOTHING,)},
}


def lamps(rows: Rows) -> Lifecycle[Lamp, Came, Fact, Fact, Fact]:
    """A lifecycle of lamps."""
    return Lifecycle("lamps", Lamp, (Press, Hit), rows)


def lamps_with(status: tuple[Lamp, ...], kind: type[Message], *steps: Step) -> Lifecycle[Lamp, Came, Fact, Fact, Fact]:
    """The same, with another row in the place of one, or with one more."""
    row: dict[type[Message], Sequence[Step]] = {kind: steps}
    return lamps({**WHOLE, status: row})


def test_the_first_transition_whose_fact_is_true_is_taken() -> None:
    """A conditional transition goes before the one without a condition, if its fact is there."""
    life = lamps(WHOLE)
    assert life.choose(Lamp.OFF, Press, {Fact.SURGE}) is SURGED
    assert life.choose(Lamp.OFF, Press, set()) is LIT


def test_a_hole_is_told() -> None:
    """A status in which a message has no outcome is an error when the table is made, not when the message comes."""
    with pytest.raises(LifecycleInvalid) as caught:
        lamps_with((Lamp.BROKEN,), Press, NOTHING)
    assert caught.value.problems == ["broken, Hit has no outcome"]


@pytest.mark.parametrize("row", [(SURGED,), (LIT, SURGED), (LIT, LIT), (LIT, SURGED, LIT)])
def test_only_the_last_transition_is_unconditional(row: tuple[Step, ...]) -> None:
    """Something is always taken, and nothing stands where it can never be."""
    with pytest.raises(LifecycleInvalid) as caught:
        lamps_with((Lamp.OFF,), Press, *row)
    assert caught.value.problems == ["off, Press: the last transition, and no other, must be without `when`"]


def test_a_pair_given_twice_is_told() -> None:
    """Two rows for one status and message contradict each other."""
    with pytest.raises(LifecycleInvalid) as caught:
        lamps_with((Lamp.BROKEN, Lamp.ON), Press, NOTHING)
    assert caught.value.problems == ["broken, Press is given twice", "on, Press is given twice"]


def test_a_message_that_is_not_declared_is_told() -> None:
    """A row for a message that nobody listed is a slip of the pen."""
    rows: Rows = {(Lamp.OFF, Lamp.ON, Lamp.BROKEN): {Press: (NOTHING,)}, (Lamp.ON,): {Hit: (BURST,)}}
    with pytest.raises(LifecycleInvalid) as caught:
        Lifecycle("lamps", Lamp, (Press,), rows)
    assert caught.value.problems == ["on, Hit: this kind of message is not declared"]


def test_the_picture_has_every_way_and_every_end() -> None:
    """Ways between two statuses are one arrow; what stays is not drawn; a status that nothing leaves is an end."""
    assert mermaid(lamps(WHOLE)).splitlines() == [
        "stateDiagram-v2",
        "    [*] --> off",
        "    off --> broken : Press / burst<br/>Hit / burst",
        "    off --> on : Press / lit",
        "    on --> off : Press / dark",
        "    on --> broken : Hit / burst",
        "    broken --> [*]",
    ]


def test_the_table_has_every_outcome() -> None:
    """Also those that change nothing."""
    assert table(lamps(WHOLE)).splitlines() == [
        "| message | off | on | broken |",
        "| --- | --- | --- | --- |",
        "| Press | burst → **broken**<br/>lit → **on** | dark → **off** | nothing |",
        "| Hit | burst → **broken** | burst → **broken** | nothing |",
    ]
