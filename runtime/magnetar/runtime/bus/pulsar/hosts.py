"""Which hosts of the service URL are asked where a topic is (R32). Pure.

The client asks the hosts in turn, one with each question, and every opening asks two in a row: for the topic's
partitions, and for its broker. A host that does not answer fails the opening; nothing is tried with the next one. So
with two hosts, of which one stands still, every opening meets it, in whatever order they are, and however often the
client is made anew: only leaving it out helps.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

_SCHEME = "://"


def hosts_of(service_url: str) -> tuple[str, ...]:
    """The hosts with their ports, in order, none twice; what cannot be taken apart is one."""
    _, _, rest = service_url.partition(_SCHEME)
    return tuple(dict.fromkeys(host for host in rest.split(",") if host)) or (rest,)


def url_of(service_url: str, hosts: Collection[str]) -> str:
    """The same URL, with these hosts."""
    scheme, _, _ = service_url.partition(_SCHEME)
    return f"{scheme}{_SCHEME}{','.join(hosts)}"


def answering(hosts: tuple[str, ...], silent: Collection[str]) -> tuple[str, ...]:
    """Those to ask: all that are not silent, in order; when nobody answers, all."""
    return tuple(host for host in hosts if host not in silent) or hosts


@dataclass(frozen=True, slots=True)
class Hearing:
    """What is known of one who is asked again and again. Times are seconds.

    `silent`: the last question failed, or has waited too long. `asked`: when the last one was; `open`: whether it is
    unanswered.
    """

    silent: bool = False
    asked: float | None = None
    open: bool = False

    def may_ask(self, now: float, pause: float) -> bool:
        """Whether it is time for another question: one at a time, and `pause` after the last."""
        return not self.open and (self.asked is None or now - self.asked >= pause)

    def ask(self, now: float) -> Hearing:
        """A question goes out."""
        return replace(self, asked=now, open=True)

    def hear(self, now: float, answer: bool | None, patience: float) -> Hearing:  # noqa: FBT001 - a third value
        """After a look: `answer` is whether it was a good one, None while there is none."""
        if not self.open or self.asked is None:
            return self
        if answer is None:
            return replace(self, silent=self.silent or now - self.asked > patience)
        return Hearing(silent=not answer, asked=self.asked)
