"""What the log says of failures and crashes, once they are committed; of each dead letter, and of tails that grow long.

Lines are for people: bounded in length and in number, without a message's content. Rows and metrics count them all.
"""

from __future__ import annotations

import logging
from traceback import walk_tb
from typing import TYPE_CHECKING

from magnetar.runtime.identity import to_text
from magnetar.runtime.instant import to_iso
from magnetar.runtime.store.parking import Reason
from magnetar.runtime.worker import handling as _handling
from magnetar.runtime.worker.parking import waiting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from magnetar.runtime.errors import HandlerFailed
    from magnetar.runtime.store.care import Care
    from magnetar.runtime.store.parking import FailureRow, ParkedKey, Parking
    from magnetar.runtime.worker.part import Handled
    from magnetar.runtime.worker.shard import Shard

_log = logging.getLogger("magnetar.failures")

MOST_LINES = 50
"""So many lines a group and shard writes at most, then one that says how many more there were."""

_TEXT = 300
_FRAMES = 3

Line = tuple[int, str]
"""A level of `logging`, and a text."""


def tell(handled: Handled) -> None:
    """Log what is durable now. To be called before memory follows: what is new is seen from what was there (R7)."""
    if (handled.changes.parking is None and handled.changes.care is None) or not _log.isEnabledFor(logging.ERROR):
        return
    lines = list(lines_of(handled))
    for level, text in lines[:MOST_LINES]:
        _log.log(level, "%s", text)
    if len(lines) > MOST_LINES:
        _log.warning("shard %s: %d more lines about failures are left out", handled.shard.name, len(lines) - MOST_LINES)


def lines_of(handled: Handled) -> Iterator[Line]:
    """The worst first, so that a flood of failures hides no dead letter."""
    parking, care = handled.changes.parking, handled.changes.care
    if care is not None:
        yield from _charged(handled.shard, care)
    if parking is None:
        return
    yield from _dead(handled, parking)
    yield from _crashed(handled, parking)
    yield from _long(handled.shard, parking)
    yield from _unread(handled.shard, parking)
    yield from _failures(handled, parking)


def _dead(handled: Handled, parking: Parking) -> Iterator[Line]:
    last = {row.message_id: failed for failed, row in zip(handled.failed, parking.failures, strict=True)}
    held = {key.key for key in parking.parked_keys if key.reason == Reason.HELD}
    for letter in parking.dead:
        then = "its key holds until a person decides" if letter.key in held else "no key waits for it"
        failed = last.get(letter.message_id)
        if failed is None:
            kind = letter.type or "a message that was not opened"
            who = f"{letter.actor}/{letter.key:.80}: {kind:.200} {to_text(letter.message_id)}"
            yield logging.ERROR, f"dead letter: {who}, {letter.crashes} crashes: {letter.error_text}; {then}"
            continue
        what = _bounded(letter.error, letter.error_text) + _place(failed)
        tries = "1 attempt" if letter.failures == 1 else f"{letter.failures} attempts"
        yield logging.ERROR, f"dead letter: {_about(failed)}, {tries}: {what}; {then}"


def _charged(shard: Shard, care: Care) -> Iterator[Line]:
    """Who ended with what in hand; and that the shard is careful no more."""
    limit = shard.plan.policy.retry.crashes
    for row in care.crashes:
        what = f"worker {row.owner} ended while it had message {to_text(row.message_id)} of {row.source} in hand"
        yield logging.ERROR, f"shard {shard.name}: {what}, key {row.key!r:.80}: crash {row.number}, limit {limit}"
    if care.eased:
        then = "few go together" if shard.custody.alone else "groups again"
        yield logging.INFO, f"shard {shard.name}: what its last owner may have ended of is behind; {then}"


def _crashed(handled: Handled, parking: Parking) -> Iterator[Line]:
    """Those that wait for their next attempt since they had ended a worker."""
    keys = {key.key: key for key in parking.parked_keys}
    dead = {letter.message_id for letter in parking.dead}
    for arrival in handled.crashed:
        if arrival.message_id not in dead:
            envelope, then = arrival.envelope, _later(keys.get(arrival.key))
            who = f"{handled.shard.plan.name}/{arrival.key:.80}: {envelope.type:.200} {envelope.message_id}"
            yield logging.WARNING, f"{who} was not handled, after crash {arrival.crashes}; {then}"


def _failures(handled: Handled, parking: Parking) -> Iterator[Line]:
    last = {row.message_id: row.number for row in parking.failures}
    keys = {key.key: key for key in parking.parked_keys}
    dead = {letter.message_id for letter in parking.dead}
    for failed, row in zip(handled.failed, parking.failures, strict=True):
        if row.number < last[row.message_id]:
            then = "tried again at once"
        elif row.message_id in dead:
            continue  # told already
        else:
            then = _later(keys.get(row.key))
        yield logging.WARNING, f"{_about(failed)} failed, attempt {row.number}: {_said(row)}{_place(failed)}; {then}"


def _unread(shard: Shard, parking: Parking) -> Iterator[Line]:
    """Keys that wait for newer code since this group."""
    for key in parking.parked_keys:
        before = shard.parking.keys.get(key.key)
        if key.reason == Reason.UNREAD and (before is None or before.reason != Reason.UNREAD):
            text = _bounded(key.error, key.error_text)
            yield logging.WARNING, f"{key.actor}/{key.key:.80} is parked, nobody here can read its message: {text}"


def _long(shard: Shard, parking: Parking) -> Iterator[Line]:
    """Keys whose tail has come to its alarm, or to its bound, with this group."""
    retry = shard.plan.policy.retry
    for key in parking.parked_keys:
        before = shard.parking.keys.get(key.key)
        was, now = 0 if before is None else waiting(before), waiting(key)
        if was < retry.bound <= now:
            yield (
                logging.ERROR,
                f"{key.actor}/{key.key:.80}: {now} messages wait, its bound: shard {shard.name} stops receiving",
            )
        elif was < retry.alarm <= now:
            why = f"{key.reason}, {_bounded(key.error, key.error_text)}" if key.error else key.reason
            yield logging.ERROR, f"{key.actor}/{key.key:.80}: {now} messages wait behind its first one ({why})"


def _later(key: ParkedKey | None) -> str:
    return "parked" if key is None or key.due is None else f"tried again at {to_iso(key.due)}"


def _about(failed: HandlerFailed) -> str:
    kind = failed.type or "a message that cannot be read"
    return f"{failed.actor}/{failed.key:.80}: {kind:.200} {failed.message_id}"


def _said(row: FailureRow) -> str:
    return _bounded(row.error, row.error_text)


def _bounded(error: str, text: str) -> str:
    whole = f"{error}: {text}" if text else error
    return whole if len(whole) <= _TEXT else whole[: _TEXT - 1] + "\N{HORIZONTAL ELLIPSIS}"


def _place(failed: HandlerFailed) -> str:
    """The functions in which it was raised, innermost first; the text of a whole traceback has no bound."""
    cause = failed.__cause__
    codes = [
        (frame.f_code, line)
        for frame, line in walk_tb(None if cause is None else cause.__traceback__)
        if frame.f_code.co_filename != _handling.__file__
    ]
    names = [
        f"{code.co_name} ({code.co_filename.rpartition('/')[2]}:{line})" for code, line in codes[: -_FRAMES - 1 : -1]
    ]
    return f", in {' < '.join(names)}" if names else ""
