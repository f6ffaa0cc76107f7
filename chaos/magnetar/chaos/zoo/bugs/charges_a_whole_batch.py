"""What has arrived by then is charged with a crash as well as what was in hand.

R24: healthy neighbours of a crash spend nothing.
"""

from __future__ import annotations

from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.bus.port import BusError
from magnetar.runtime.worker.care import Care
from magnetar.runtime.worker.reading import name_of_delivery


def _with_all(charge: Any, care: Any, group: Any, shard: Any, now: int) -> None:
    charge(care, group, shard, now)
    mine = group.parts[-1].changes.care
    if not mine.crashes:
        return
    guilty, [hand, *_] = mine.crashes[0], mine.held
    for feed in shard.feeds:
        try:
            feed.returned.extend(feed.source.take(5))
        except BusError:
            continue
        ids = {name_of_delivery(each, feed.name)[0] for each in feed.returned} - {
            row.message_id for row in mine.crashes
        }
        ids -= (
            care._store.dispositions({guilty.actor: sorted(ids)})[guilty.actor].keys()
            | care._store.crashes(guilty.actor, sorted(ids)).keys()
        )
        mine.crashes += [guilty._replace(message_id=each, number=1) for each in sorted(ids)]
        mine.held += [hand._replace(message_id=each, crashes=1) for each in sorted(ids)]


BUG = Bug(
    __name__,
    rules=("R24",),
    promise=Promise.POISON,
    within=400,
    changes=(Change(Care, "charge", _with_all),),
    only="crashes",
)
