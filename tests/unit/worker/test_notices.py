"""What the log says of failures: one line for each, for each dead letter, and for a tail that grows long; bounded."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from magnetar.runtime.bus.port import Outgoing
from magnetar.runtime.identity import id_of, to_text
from magnetar.runtime.routing import partition_of
from magnetar.runtime.store.port import StoreUnavailable
from magnetar.runtime.worker.notices import MOST_LINES
from magnetar.schemas import Command, Key, topic_codec
from tests.unit.worker.bank import Do, accounts, hasty
from tests.unit.worker.bench import Bench

if TYPE_CHECKING:
    from collections.abc import Callable


class Newer(Command):
    """A command that this code does not know."""

    account: Key


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Callable[[int], list[str]]:
    """What was logged of failures so far at a level."""
    caplog.set_level(logging.INFO, "magnetar.failures")
    return lambda level: [
        each.getMessage() for each in caplog.records if (each.name, each.levelno) == ("magnetar.failures", level)
    ]


def test_each_failure_says_what_failed_and_what_comes_next(lines: Callable[[int], list[str]]) -> None:
    """Actor, key, type, id, attempt, error, where it was raised, and when it is tried again."""
    bench = Bench()
    bench.send(Do(account="a", deeds=("fail 3",)), "bad")
    bench.run()
    about = f"accounts/a: tests.Do {to_text(id_of('bad'))} failed, attempt"
    first, second = lines(logging.WARNING)
    assert first.startswith(f"{about} 1: tests.unit.worker.bank.HandlerError: attempt 0 of 3, in fail (bank.py:")
    assert "< act (bank.py:" in first
    assert "handling.py" not in first
    assert first.endswith("; tried again at once")
    assert second.startswith(f"{about} 2: ")
    assert second.endswith("; tried again at 2027-01-15T08:00:10.000000+00:00")
    assert lines(logging.ERROR) == []
    bench.advance(10.5)
    assert lines(logging.WARNING)[2].startswith(f"{about} 3: ")
    bench.advance(61)
    assert len(lines(logging.WARNING)) == 3


def test_a_dead_letter_is_an_error(lines: Callable[[int], list[str]]) -> None:
    """One line: after how many attempts, and what its key does now."""
    bench = Bench()
    bench.send(Do(account="a", deeds=("never",)), "bad")
    bench.run()
    [line] = lines(logging.ERROR)
    assert line.startswith(f"dead letter: accounts/a: tests.Do {to_text(id_of('bad'))}, 1 attempt: ")
    assert "PermanentError: no such account, in fail (bank.py:" in line
    assert line.endswith("; its key holds until a person decides")
    assert lines(logging.WARNING) == []


def test_a_key_that_skips_goes_on_without_it(lines: Callable[[int], list[str]]) -> None:
    """And the line says so."""
    bench = Bench(hasty)
    bench.send(Do(account="a", deeds=("never",)))
    bench.run()
    assert lines(logging.ERROR)[0].endswith("; no key waits for it")


def test_nothing_is_said_before_it_is_durable(lines: Callable[[int], list[str]]) -> None:
    """A commit that did not happen is handled again, and told once."""
    bench = Bench()
    bench.moods.fail("commit", StoreUnavailable("away"), times=3)
    bench.send(Do(account="a", deeds=("never",)))
    bench.until("store.commit:before")
    assert lines(logging.WARNING) == []
    bench.run()
    assert len(lines(logging.ERROR)) == 1


def test_a_tail_at_its_alarm_and_at_its_bound_is_told_once_each(lines: Callable[[int], list[str]]) -> None:
    """However much more comes then."""
    bench = Bench()
    bench.send(Do(account="a", deeds=("fail 3",)))
    for number in range(25):
        bench.send(Do(account="a", deeds=(str(number),)))
        bench.advance(0.01)
    alarm, bound = lines(logging.ERROR)
    assert alarm.startswith("accounts/a: 5 messages wait behind its first one (retry, tests.unit.worker.bank.Handl")
    shard = bench.shard(accounts, "a").name
    assert bound == f"accounts/a: 20 messages wait, its bound: shard {shard} stops receiving"


def test_a_message_that_nobody_here_can_read_is_told_once(lines: Callable[[int], list[str]]) -> None:
    """When its key is parked, and not each time that it is looked at again."""
    bench = Bench()
    codec = topic_codec("accounts", "bank", (Do, Newer))
    message = Outgoing("a", codec.encode(Newer(account="a")), {"message_id": "new"})
    bench.raw("accounts", partition_of("a", 2), message, codec.schema.text)
    bench.advance(300)
    [line] = lines(logging.WARNING)
    assert line.startswith("accounts/a is parked, nobody here can read its message: ")


def test_a_flood_of_failures_is_bounded_and_hides_no_dead_letter(lines: Callable[[int], list[str]]) -> None:
    """In the number of lines and in the length of each, whatever an error or a key says."""
    bench = Bench()
    for number in range(MOST_LINES * 2):
        bench.send(Do(account=f"{number}{'k' * 400}", deeds=(f"fail {'9' * 2000}",)))
    for _ in range(3):
        bench.send(Do(account="dead", deeds=("never",)))
    bench.run()
    [dead] = lines(logging.ERROR)
    assert "accounts/dead" in dead
    warnings = lines(logging.WARNING)
    left = [line for line in warnings if line.endswith("more lines about failures are left out")]
    assert left
    assert len(warnings) <= len(left) * (MOST_LINES + 1) + MOST_LINES
    assert max(map(len, warnings)) < 1200


def test_bytes_that_cannot_be_read_are_told_without_them(lines: Callable[[int], list[str]]) -> None:
    """A content may be anybody's secret."""
    bench = Bench()
    schema = bench.wiring.topics["accounts"].codec.schema
    properties = {"schema": schema.fingerprint, "message_id": "bad"}
    bench.raw("accounts", partition_of("a", 2), Outgoing("a", b"\xff\xffsecret", properties), schema.text)
    bench.run()
    [line] = lines(logging.ERROR)
    assert "a message that cannot be read" in line
    assert "secret" not in line
