"""Which gaps beyond a bound are a miss, and which show nothing, for there was no processor to work on. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from magnetar.runtime.store.port import ShardName


class Late(NamedTuple):
    """A gap that is beyond the bound of its row; `starved`: so much of it nobody could have worked. Seconds."""

    shard: ShardName
    took: float
    starved: float

    def is_excused(self, within: float) -> bool:
        """Whether it would have been within the bound, had there been a processor whenever one was wanted."""
        return self.took - self.starved <= within


def misses(late: Iterable[Late], within: float) -> Iterable[str]:
    """The longest of those for which starvation does not account."""
    missed = [each for each in late if not each.is_excused(within)]
    if missed:
        worst = max(missed, key=lambda each: each.took)
        yield f"{worst.shard} took {worst.took:.2f} s, {worst.starved:.2f} s of it for want of a processor"


def unknowns(late: Iterable[Late], within: float) -> Iterable[str]:
    """Only where starvation accounts for every one: then the row shows nothing, which is not to say that it is kept."""
    late = list(late)
    if late and all(each.is_excused(within) for each in late):
        worst = max(late, key=lambda each: each.took)
        yield (
            f"{worst.shard} took {worst.took:.2f} s, but for {worst.starved:.2f} s of it its worker was ready to run "
            "and no processor took it"
        )
