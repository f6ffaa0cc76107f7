"""The store's settings: whether what it has committed stays committed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.runtime.operate.doctor.facts import StoreFacts, Unanswered
from magnetar.runtime.operate.doctor.finding import Check, Finding, Severity
from magnetar.runtime.store.views import PRODUCT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from magnetar.runtime.operate.doctor.facts import Facts

    Judge = Callable[[str, Facts], Severity]

STORE = Check(
    "store-answers",
    "the store",
    "it can be read",
    "nobody can say what was applied and what was not",
    "R13",
    "Give its address with `--store`; start it, or a worker on it once.",
)
DURABLE = Check(
    "store-durable",
    "SQLite: `journal_mode`, `synchronous`. PostgreSQL: `fsync`, `synchronous_commit`, `full_page_writes`",
    "`wal`, `2` (FULL); all `on`",
    "a message is acknowledged after its commit: one that a power cut takes back is lost, with its state",
    "R10",
    "SQLite: keep the file on a local disk. PostgreSQL: set them in `postgresql.conf` and reload.",
)
VERSION = Check(
    "store-version",
    "PostgreSQL: `server_version_num`",
    "160000 or more",
    "older servers are not tried with this code",
    "R6",
    "Update PostgreSQL.",
)
ISOLATION = Check(
    "store-isolation",
    "PostgreSQL: `default_transaction_isolation`",
    "`read committed`",
    "the fence is a row lock; under a stricter level commits that could wait for it would fail instead",
    "R6",
    "`ALTER DATABASE … SET default_transaction_isolation TO 'read committed'`",
)
LOCKS = Check(
    "store-locks",
    "PostgreSQL: `idle_in_transaction_session_timeout` of a worker's connection",
    "1 to 2000 ms",
    "a frozen worker keeps the locks of its shards' rows for so long, and nobody can take them",
    "R17",
    "The worker sets it by itself: look for a pooler, or a role's settings, that changes it.",
)
CONNECTIONS = Check(
    "store-connections",
    "PostgreSQL: `max_connections` against the workers",
    "3 for each worker, and 10 more",
    "a worker that cannot connect lets its shards go, and the next one cannot connect either",
    "R13",
    "Raise it in `postgresql.conf` and restart PostgreSQL, or run fewer workers.",
)
CHECKS = (STORE, DURABLE, VERSION, ISOLATION, LOCKS, CONNECTIONS)

_LONGEST_LOCK = 2_000
_NEWEST_TRIED = 160_000
_EACH, _BESIDE = 3, 10


def store_findings(facts: Facts) -> Iterator[Finding]:
    """What is found of the store, by its product."""
    if isinstance(facts.store, Unanswered):
        change = "start it, or give its address with --store"
        yield STORE.danger("store", f"it cannot be read: {facts.store.reason}", change)
        return
    product = facts.store.settings.get(PRODUCT, "")
    if product not in _WANTED:
        yield STORE.advice("store", f"a product that the doctor does not know: {product!r}", "look after it yourself")
        return
    yield STORE.ok("store", product)
    for check, name, judge, change in _WANTED[product]:
        have = facts.store.settings.get(name)
        if have is None:
            yield check.advice(f"store: {name}", "it is not told", change)
        else:
            yield check.found(judge(have, facts), f"store: {name}", have, change)


def _is(wanted: str, worst: Severity = Severity.DANGER) -> Judge:
    return lambda have, _: Severity.OK if have == wanted else worst


def _recent(have: str, _: Facts) -> Severity:
    return Severity.OK if _number(have) >= _NEWEST_TRIED else Severity.DANGER


def _brief(have: str, _: Facts) -> Severity:
    """0 waits for ever."""
    return Severity.OK if 0 < _number(have) <= _LONGEST_LOCK else Severity.DANGER


def _enough(have: str, facts: Facts) -> Severity:
    workers = facts.store.workers if isinstance(facts.store, StoreFacts) else None
    needed = _EACH * (workers or 1) + _BESIDE
    return Severity.OK if _number(have) >= needed else Severity.ADVICE


def _number(text: str) -> int:
    """-1 for what is no number, which is well for nothing."""
    return int(text) if text.isdecimal() else -1


def _conf(name: str, value: str) -> str:
    return f"ALTER SYSTEM SET {name} TO '{value}'; SELECT pg_reload_conf()"


_WANTED: Mapping[str, tuple[tuple[Check, str, Judge, str], ...]] = {
    "sqlite": (
        (DURABLE, "journal_mode", _is("wal"), "put the file on a local disk, and start a worker on it once"),
        (DURABLE, "synchronous", _is("2"), "this code sets FULL: look for what changes it"),
    ),
    "postgresql": (
        *((DURABLE, name, _is("on"), _conf(name, "on")) for name in ("fsync", "full_page_writes")),
        (
            DURABLE,
            "synchronous_commit",
            lambda have, _: Severity.OK if have in {"on", "remote_apply", "local", "remote_write"} else Severity.DANGER,
            _conf("synchronous_commit", "on"),
        ),
        (VERSION, "server_version_num", _recent, "update PostgreSQL to 16 or newer"),
        (
            ISOLATION,
            "default_transaction_isolation",
            _is("read committed", Severity.ADVICE),
            _conf("default_transaction_isolation", "read committed"),
        ),
        (
            LOCKS,
            "idle_in_transaction_session_timeout",
            _brief,
            _conf("idle_in_transaction_session_timeout", f"{_LONGEST_LOCK}"),
        ),
        (CONNECTIONS, "max_connections", _enough, "ALTER SYSTEM SET max_connections TO 100, then restart PostgreSQL"),
    ),
}
