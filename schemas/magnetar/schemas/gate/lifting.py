"""Versions that are read through declared upcasts: each must reach the newest, and nobody older can read that."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from magnetar.schemas.codec import Kept, RecordCodec
from magnetar.schemas.errors import DecodeFailed, EncodeFailed
from magnetar.schemas.gate.comparing import Difference, compare
from magnetar.schemas.gate.finding import WORKING
from magnetar.schemas.gate.golden import Broken, trials
from magnetar.schemas.gate.independent import refusal

if TYPE_CHECKING:
    from magnetar.schemas.gate.registry import Version
    from magnetar.schemas.gate.working import Contract
    from magnetar.schemas.schema import Schema


def lifted_differences(version: Version, contract: Contract, now: Schema) -> Iterator[Difference]:
    """What breaks whom where a version has fewer upcasts than the contract has now, or more."""
    then, count = version.schema.record.upcasts, now.record.upcasts
    if then > count:
        reason = f"{then} upcasts led to it, and {count} lead to what there is now"
        yield Difference("upcast-removed", "$", reason, old_readers=True, new_readers=True)
        return
    reason = f"{_counted(count - then)} made it what it is now: it cannot be read back"
    yield Difference("upcast", "$", reason, old_readers=True)
    if not isinstance(contract.codec, RecordCodec):
        return
    before = contract.codec.before(then)
    for each in compare(version.schema.shape, before.schema.shape).differences:
        if each.new_readers:
            where = f"{each.reason} in {before.type.__name__}, which is what that version was"
            yield Difference(each.rule, each.path, where, new_readers=True)


def broken_on_the_way(version: Version, contract: Contract) -> Iterator[Broken]:
    """Samples that the type of before reads as something else, or that do not reach the newest version."""
    if not isinstance(contract.codec, RecordCodec):
        return
    before = contract.codec.before(version.schema.record.upcasts)
    for trial in trials(version):
        given = (trial.data, version.schema)
        found = list(trial.taken_by(before, given, before.schema, back=False))
        yield from found
        if not found:
            yield from _reaching(version, contract.codec, trial.data)


def refused_by_the_broker(version: Version, contract: Contract) -> str | None:
    """Why the broker would not take the newest schema on a topic; None for what is on no topic."""
    return refusal(contract.text, version.text) if contract.kind in {"command", "event"} else None


def _reaching(version: Version, codec: RecordCodec[Any], data: bytes) -> Iterator[Broken]:
    origin = Kept(version.contract, "sample", str(version.number))
    try:
        first, second = (codec.encode(codec.decode(data, version.schema, origin)) for _ in range(2))
    except (DecodeFailed, EncodeFailed) as error:
        yield _broken(version, error.path, f"{data.hex()[:40]} does not reach the newest version: {error.reason}")
        return
    if first != second:
        yield _broken(version, "$", f"{data.hex()[:40]} is upcast differently each time: the function is not pure")


def _broken(version: Version, path: str, reason: str) -> Broken:
    return Broken(str(version.number), WORKING, path, reason)


def _counted(count: int) -> str:
    return "an upcast has" if count == 1 else f"{count} upcasts have"
