"""When an idle order leaves memory, what waits for it in its shard goes with it.

R21: arrivals wait in their shard, whether their order is live or not.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from magnetar.chaos.zoo.bug import Bug, Change, Promise
from magnetar.runtime.worker.passivation import Passivation
from magnetar.schemas import Kept


def _with_its_mail(look: Any, passivation: Any, shard: Any, number: int, looks: int) -> Any:
    before = set(shard.entities)
    looked = look(passivation, shard, number, looks)
    gone = before - set(shard.entities)
    shard.mail = deque(mail for mail in shard.mail if mail.key not in gone)
    for feed in shard.feeds:
        feed.returned = deque(each for each in feed.returned if _key(shard, feed, each) not in gone)
    return looked


def _key(shard: Any, feed: Any, delivery: Any) -> Any:
    codec = feed.topic.codec
    message = codec.decode(delivery.body, codec.schema, Kept(feed.name, str(delivery.position)))
    kind = shard.plan.kinds.get(type(message))
    return None if kind is None else kind.key(message)


BUG = Bug(
    __name__,
    rules=("R21",),
    promise=Promise.NEVER_LOST,
    within=600,
    changes=(Change(Passivation, "_look", _with_its_mail),),
)
