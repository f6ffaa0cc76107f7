"""A message about to be handled, from wherever it came: a topic, a timer, this very process, or the parked tail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from magnetar.runtime.envelope import Envelope
from magnetar.runtime.errors import MisuseError
from magnetar.runtime.identity import to_text
from magnetar.runtime.instant import Instant
from magnetar.runtime.store.effects import EffectRow
from magnetar.runtime.store.port import TimerRow
from magnetar.schemas import Message, Outcome, Timer

if TYPE_CHECKING:
    from magnetar.runtime.wiring import ActorPlan
    from magnetar.runtime.worker.answers import Told
    from magnetar.runtime.worker.shard import Mail

LOCAL = "local"
TIMER = "timer"
EFFECT = "effect"
REHOMED = "rehomed"


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """One message about to be handled.

    `schema` and `body` are what the journal keeps; `at` is the broker's position as text; `properties` are as they
    came. `message` is None where it could not be read, and `problem` says why (never raised, so that it leads
    nowhere); `key` is then what the broker knows, '' for none. `ordinal`: its place in the parked tail that it comes
    from, and `failures` what is in its ledger. `buried`: it is a dead letter. `effect`: it is its first outcome, with
    which it closes. `crashes`: it was in hand when a worker ended, so often by now; not zero only when it comes for the
    first time since: the policy says whether it is tried at once, waits, or dies.
    """

    message_id: bytes
    key: str
    message: Message | None
    envelope: Envelope
    schema: str
    body: bytes
    at: str
    published_at: Instant
    properties: Mapping[str, str]
    rehomed: bool = False
    asks: bool = False
    timer: TimerRow | None = None
    effect: EffectRow | None = None
    reply: Any = None
    problem: Exception | None = None
    ordinal: int | None = None
    failures: int = 0
    buried: bool = False
    crashes: int = 0


def from_mail(plan: ActorPlan, mail: Mail, message_id: bytes, now: Instant) -> Arrival:
    """A message told or asked through an `ActorRef`. Raises `MisuseError` when the actor takes no such message."""
    kind = type(mail.message)
    if kind not in plan.handlers or isinstance(mail.message, (Timer, Outcome)):
        message = f"actor {plan.name!r} takes no {kind.__name__}; it takes {', '.join(sorted(plan.types))}"
        raise MisuseError(message)
    named = plan.kinds[kind].key
    if named is not None and named(mail.message) != mail.key:
        message = f"{kind.__name__} is for key {named(mail.message)!r:.80}, but was told to {mail.key!r}"
        raise MisuseError(message)
    codec = plan.sources[0].codec
    text, schema = to_text(message_id), codec.schema.fingerprint
    envelope = Envelope(text, mail.key, plan.kinds[kind].name, schema, text, "", now, None, 0, LOCAL)
    return Arrival(
        message_id, mail.key, mail.message, envelope, schema, codec.encode(mail.message), "", now, {}, reply=mail.reply
    )


def from_told(told: Told, now: Instant) -> Arrival:
    """The outcome of an effect (R21). One that contradicts an earlier one closes nothing: that is done."""
    row = told.row
    text = to_text(told.message_id)
    envelope = Envelope(
        text, row.key, told.type, told.schema, row.correlation_id, row.causation_id, now, None, 0, EFFECT
    )  # fmt: skip
    return Arrival(
        told.message_id, row.key, told.message, envelope, told.schema, told.body, "", now,
        {EFFECT: to_text(row.effect_id)}, effect=None if told.number else row,
    )  # fmt: skip
