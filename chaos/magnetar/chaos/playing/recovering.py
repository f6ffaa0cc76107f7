"""What the load meant to do, and whether it is done as before while it still goes on, by what the store has by now."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from magnetar.chaos.measuring import figures
from magnetar.chaos.measuring.points import Meant, fates_by_journal, points
from magnetar.chaos.paying.impatient import PARTITIONS
from magnetar.chaos.playing.striking import told
from magnetar.runtime.store.port import StoreUnavailable

if TYPE_CHECKING:
    from magnetar.chaos.playing.run import Played
    from magnetar.chaos.playing.stage import Stage


def operations(stage: Stage, played: Played) -> list[Meant]:
    """Of all that was published by now, but for what was published once more, and for the shelves."""
    sent = {letter.message_id: letter for letter in played.sending.letters if letter.op != "restock"}
    published = {each.message_id: each for each in reversed(played.sending.published)}
    return [
        Meant(stage.seconds(each.meant), name, sent[name].op, each.key, each.topic, PARTITIONS)
        for name, each in published.items()
        if name in sent
    ]


def has_recovered(stage: Stage, played: Played) -> bool:
    """Whether recovery would be seen if the load ended now. False while the store does not answer."""
    healed = figures.over(told(each, stage) for each in played.striking.dealt)
    if healed is None:
        return True  # it is not measured then
    try:
        with closing(stage.ground.store.views()) as views:
            fates = fates_by_journal(row for actor in stage.ground.wiring.actors for row in views.journal_of(actor))
    except StoreUnavailable:
        return False
    found = points(operations(stage, played), fates, played.phases, stage.began)
    return figures.recovery(found, healed, stage.now) is not None
