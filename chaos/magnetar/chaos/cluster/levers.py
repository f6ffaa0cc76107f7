"""What an operator can have brokers do, and what shows that they did. All raise `NoOwner`, with what a broker said."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

from magnetar.chaos.cluster.errors import NoOwner
from magnetar.chaos.cluster.parts import asked, host, path_of, settings

if TYPE_CHECKING:
    from magnetar.chaos.cluster.ground import Ground


class Taking(msgspec.Struct, frozen=True):
    """A subscription: how often a message was handed out since its broker has the topic, and how many wait."""

    handed: int = msgspec.field(name="msgOutCounter")
    waiting: int = msgspec.field(name="msgBacklog")


class _Stats(msgspec.Struct):
    came: int = msgspec.field(name="msgInCounter")
    subscriptions: dict[str, Taking]


def unload(ground: Ground, topic: str) -> None:
    """Have its broker let go of a topic; whoever asks for it next loads it."""
    asked("PUT", f"{host(ground, topic)}/admin/v2/{path_of(topic)}/unload", None, f"the broker of {topic}")


def rewind(ground: Ground, topic: str, subscription: str) -> None:
    """Have a subscription begin again with the first message that is kept."""
    place = f"{path_of(topic)}/subscription/{quote(subscription, safe='')}/resetcursor/0"
    asked("POST", f"{host(ground, topic)}/admin/v2/{place}", None, f"the broker of {topic}")


def taking(ground: Ground, topic: str, subscription: str) -> tuple[int, Taking]:
    """How many messages came to a topic since its broker has it, and what became of them in a subscription."""
    part = f"the broker of {topic}"
    stats = asked("GET", f"{host(ground, topic)}/admin/v2/{path_of(topic)}/stats", _Stats, part)
    found = stats.subscriptions.get(subscription)
    if found is None:
        raise NoOwner(f"{subscription} of {topic}", f"it has {', '.join(stats.subscriptions) or 'no subscription'}")
    return stats.came, found


def bundle(ground: Ground, topic: str) -> str:
    """The range of hashes that a topic is in, which one broker has as a whole: `0x40000000_0x80000000`."""
    url = f"{host(ground, topic)}/lookup/v2/topic/{path_of(topic)}/bundle"
    return asked("GET", url, str, f"the broker of {topic}")


def split(ground: Ground, topic: str) -> None:
    """Have the bundle that a topic is in made into two, which are shared out anew."""
    names = settings(ground)
    place = f"{names.tenant}/{names.application}/{bundle(ground, topic)}/split?unload=true"
    asked("PUT", f"{host(ground, topic)}/admin/v2/namespaces/{place}", None, f"the broker of {topic}")
