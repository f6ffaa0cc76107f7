"""Which gaps beyond a bound are a miss, and which show nothing: no processor was free, or the load too much. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from magnetar.chaos.takeover.capacity import SHARE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from magnetar.runtime.store.port import ShardName


class Late(NamedTuple):
    """A gap that is beyond the bound of its row; `starved`: so much of it nobody could have worked. Seconds."""

    shard: ShardName
    took: float
    starved: float

    def is_excused(self, within: float) -> bool:
        """Whether it would have been within the bound, had there been a processor whenever one was wanted."""
        return self.took - self.starved <= within


def parted(late: Sequence[Late], within: float, share: float) -> tuple[list[str], list[str]]:
    """What breaks a row, and what makes it show nothing, which is not to say that it is kept; one of them at most.

    Starvation must account for every gap; the longest of those for which it does not is a miss. Under a load that is
    more than the bounds are for (`share`, of the capacity: fifty orders a second may be) seconds break nothing.
    """
    if not late:
        return [], []
    missed = [each for each in late if not each.is_excused(within)]
    worst = max(missed or late, key=lambda each: each.took)
    took = f"{worst.shard} took {worst.took:.2f} s"
    if not missed:
        idle = f"but for {worst.starved:.2f} s of it its worker was ready to run and no processor took it"
        return [], [f"{took}, {idle}"]
    words = f"{took}, {worst.starved:.2f} s of it for want of a processor"
    if round(share, 2) > SHARE:
        return [], [f"{words}; the load is {share:.0%} of the capacity, the bound is for {SHARE:.0%}"]
    return [words], []
