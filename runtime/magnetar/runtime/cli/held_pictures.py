"""How it looks what a store holds, and what of it could not be read. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.table import Table

from magnetar.runtime.cli.wording import counted
from magnetar.runtime.store.held import What

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from magnetar.runtime.operate.holding import HeldGroup, Holding, Named, Unreadable

INSTEAD: Final[Mapping[str, str]] = {
    What.STATES: "keep the actor, and its state as it was; what is new goes into new fields",
    What.TIMERS: "keep the handler, in one release more, until these have fired",
    What.PARKED: "keep the handler, in one release more, until nothing waits: `magnetar keys list`",
    What.LETTERS: "replay or discard them by the release that runs: `magnetar dlq list`",
    What.OUTBOX: "let workers of the release that runs send it: `magnetar shards` says what is unsent",
    What.EFFECTS: "keep the function, in one release more, until these have an outcome",
}
"""What to do about rows of a kind that nobody could read."""

NOUNS: Final[Mapping[str, str]] = {
    What.STATES: "state",
    What.TIMERS: "timer",
    What.PARKED: "parked message",
    What.LETTERS: "dead letter",
    What.OUTBOX: "unsent message",
    What.EFFECTS: "effect",
}


def problems(holding: Holding, names: Mapping[str, str], address: str) -> Iterator[list[str]]:
    """Four lines each: what cannot be read, why, which rows, what to do. `names` of versions are by fingerprint."""
    for each in holding.unreadable:
        what = f"{counted(each.rows, NOUNS[each.what])} of {each.actor} cannot be read"
        yield [
            f"{address}: {what}: {each.type or 'of no type'}, {_version(names, each.schema)}",
            f"  {each.reason}",
            f"  rows: {_rows(each)}",
            f"  instead: {INSTEAD[each.what]}",
        ]
    if holding.later:
        shards = ", ".join(f"{shard} ({number})" for shard, number in holding.later.items())
        yield [
            f"{address}: {counted(len(holding.later), 'shard')} of later generations, not for this app's workers",
            f"  shards: {shards}",
            "  instead: check the release that runs there, or a later one",
        ]


def held_picture(holding: Holding, names: Mapping[str, str]) -> Table:
    """A line for each kind, actor, type, version and generation."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for name in ("held", "actor", "type", "version"):
        table.add_column(name, overflow="fold")
    table.add_column("generation", justify="right")
    table.add_column("rows", justify="right")
    for each in holding.held:
        table.add_row(*_cells(each, names))
    return table


def summary(holding: Holding, address: str) -> str:
    """One line."""
    total = sum(each.rows for each in holding.held)
    lost = sum(each.rows for each in holding.unreadable)
    damaged = f", {counted(holding.damaged, 'row')} that no release can read" if holding.damaged else ""
    return f"{address} holds {counted(total, 'row')}; {lost or 'none'} of them could not be read{damaged}"


def _cells(each: HeldGroup, names: Mapping[str, str]) -> tuple[str, ...]:
    return each.what, each.actor, each.type, _version(names, each.schema), str(each.generation), f"{each.rows:,}"


def _version(names: Mapping[str, str], fingerprint: str) -> str:
    return names.get(fingerprint, f"unreleased ({fingerprint[:8]})" if fingerprint else "no schema")


def _rows(each: Unreadable) -> str:
    more = each.rows - len(each.named)
    shown = [_named(row) for row in each.named]
    return ", ".join([*shown, *([f"{more:,} more"] if more else [])])


def _named(row: Named) -> str:
    return " ".join(part for part in (row.key, row.name, row.id) if part)
