"""Rows with everything filled in that a test does not care for."""

from __future__ import annotations

from magnetar.runtime.store.parking import DeadLetter, FailureRow, LetterStatus, ParkedKey, ParkedRow, Reason
from magnetar.runtime.store.port import (
    AppRow,
    Disposition,
    GoneTimer,
    JournalRow,
    OutboxRow,
    StateRow,
    StateWrite,
    TimerRow,
)
from tests.contract.store.harness import ACTOR, LEDGER, SHARD


def message_id(number: int) -> bytes:
    """A message id; ids ascend with their numbers."""
    return number.to_bytes(16, "big")


def journal_row(number: int, key: str = "o-1", version: int = 1, shard: str = SHARD, actor: str = ACTOR) -> JournalRow:
    """What became of message `number`; every column differs from its neighbours."""
    return JournalRow(
        actor=actor,
        message_id=message_id(number),
        shard=shard,
        key=key,
        disposition=Disposition.APPLIED.value,
        type="shop.Place",
        schema="f" * 32,
        body=b"\x00body\xff",
        source="orders/0",
        position=f"7:{number}:-1",
        correlation_id="correlation",
        causation_id="causation",
        occurred_at=1_700_000_000_000_001,
        published_at=1_700_000_000_000_002,
        now=1_700_000_000_000_003,
        code="1.2.3",
        version=version,
        state_hash=b"hash",
        sent='[{"type": "shop.Reserve"}]',
        answer=None,
        answer_schema=None,
    )


def state_row(key: str = "o-1", version: int = 1, body: bytes = b"state", shard: str = SHARD) -> StateRow:
    """A key's state at a version."""
    return StateRow(ACTOR, key, shard, version, "e" * 32, body, 1_700_000_000_000_004)


def state_write(key: str = "o-1", version: int = 1, body: bytes = b"state", shard: str = SHARD) -> StateWrite:
    """The state written over the version before."""
    return StateWrite(state_row(key, version, body, shard), version - 1)


def outbox_row(number: int, shard: str = SHARD) -> OutboxRow:
    """A decided message in the shard's lane."""
    return OutboxRow(shard, number, "stock", 3, "s-1", b"\x00out", '{"type": "shop.Reserve"}')


def timer_row(
    name: str = "overdue", key: str = "o-1", due: int = 100, generation: int = 1, shard: str = SHARD
) -> TimerRow:
    """An armed timer."""
    body = b"\x00timer"
    return TimerRow(
        ACTOR, key, name, shard, message_id(generation), due, "shop.Overdue", "d" * 32, body, "corr", "caus"
    )


def fired(timer: TimerRow) -> GoneTimer:
    """The timer fired: it must be armed with this generation."""
    return GoneTimer(timer.actor, timer.key, timer.name, timer.generation, must_exist=True)


def cancelled(timer: TimerRow) -> GoneTimer:
    """The timer was cancelled, whatever generation it had."""
    return GoneTimer(timer.actor, timer.key, timer.name, b"", must_exist=False)


def ledger_row(number: int, ordinal: int = 0, amount: object = 5, order: object = "o-1", shard: str = SHARD) -> AppRow:
    """A row of the application's own table."""
    return AppRow(LEDGER.name, shard, message_id(number), ordinal, (amount, order))


def parked_row(ordinal: int, key: str = "o-1", number: int | None = None, shard: str = SHARD) -> ParkedRow:
    """The message at that place of the key; message `number`, or the one with the number of its place."""
    return ParkedRow(
        actor=ACTOR,
        key=key,
        ordinal=ordinal,
        shard=shard,
        message_id=message_id(ordinal if number is None else number),
        type="shop.Place",
        schema="f" * 32,
        body=b"\x00parked\xff",
        source="orders/0",
        position=f"7:{ordinal}:-1",
        correlation_id="correlation",
        causation_id="causation",
        occurred_at=1_700_000_000_000_001,
        published_at=1_700_000_000_000_002,
        properties='{"traceparent": "00"}',
        timer="overdue",
        parked_at=1_700_000_000_000_005,
    )


def parked_key(
    key: str = "o-1", first: int = 1, last: int = 1, shard: str = SHARD, due: int | None = 1_700_000_000_000_006
) -> ParkedKey:
    """Why a key is parked."""
    since = 1_700_000_000_000_007
    return ParkedKey(ACTOR, key, shard, Reason.RETRY.value, first, last, 2, due, "OSError", "no route", since)


def failure_row(number: int = 1, message: int = 1, key: str = "o-1", shard: str = SHARD) -> FailureRow:
    """A failure of message `message`."""
    now = 1_700_000_000_000_008
    return FailureRow(
        ACTOR, message_id(message), number, shard, key, "OSError", f"no route {number}", "print", "1.2.3", now
    )


def dead_letter(
    number: int = 1, key: str = "o-1", shard: str = SHARD, dead_at: int = 1_700_000_000_000_009
) -> DeadLetter:
    """Message `number` that died."""
    return DeadLetter(
        actor=ACTOR,
        message_id=message_id(number),
        shard=shard,
        key=key,
        type="shop.Place",
        schema="f" * 32,
        body=b"\x00dead\xff",
        source="orders/0",
        position=f"7:{number}:-1",
        correlation_id="correlation",
        causation_id="causation",
        occurred_at=1_700_000_000_000_001,
        published_at=1_700_000_000_000_002,
        properties='{"traceparent": "00"}',
        timer="",
        error="shop.Refused",
        error_text="the card is stolen",
        fingerprint="print",
        failures=12,
        crashes=1,
        dead_at=dead_at,
        status=LetterStatus.DEAD.value,
    )
