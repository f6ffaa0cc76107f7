"""The bulkhead: calls in threads of their own, that of one dependency never in the way of another's."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from magnetar.runtime import Call, Dependency
from magnetar.runtime.threads.bulkhead import Bulkhead
from magnetar.runtime.worker.bulkhead import Finished, Job
from tests.unit.worker.shopfront import Charge, Charged

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

WAIT = 10.0
SLOW, FAST = Dependency("slow", threads=2), Dependency("fast", threads=1)


def job(number: int, dependency: Dependency, function: Callable[[Any, Call], Any]) -> Job:
    """A call of this function."""
    call = Call("key", "payments", "o-1", 1, dependency.timeout, "story")
    return Job(number, dependency, function, Charge(order="o-1", amount=1), call)


def thread(request: Charge, call: Call) -> threading.Thread:
    """In which thread it is called."""
    return threading.current_thread()


def collected(bulkhead: Bulkhead, woken: threading.Event, count: int) -> list[Finished]:
    """So many calls that have ended."""
    found: list[Finished] = []
    deadline = time.monotonic() + WAIT
    while len(found) < count:
        assert woken.wait(deadline - time.monotonic()), f"only {found} ended"
        woken.clear()
        found += bulkhead.finished()
    return found


def test_what_a_function_returns_or_raises_comes_back() -> None:
    """Whatever it raises, even what would end a process; and the loop is woken."""
    woken = threading.Event()
    bulkhead = Bulkhead(woken.set)
    errors = (ValueError("x"), SystemExit(3))

    def fail(error: BaseException) -> Callable[[Any, Call], Any]:
        def function(request: Charge, call: Call) -> Charged:
            raise error

        return function

    def fine(request: Charge, call: Call) -> Charged:
        return Charged(reference=call.idempotency_key)

    bulkhead.begin(job(1, FAST, fine))
    for number, error in enumerate(errors, 2):
        bulkhead.begin(job(number, FAST, fail(error)))
    assert collected(bulkhead, woken, 3) == [(1, Charged(reference="key")), (2, errors[0]), (3, errors[1])]
    bulkhead.close()


def test_a_dependency_that_hangs_holds_up_nobody_else() -> None:
    """All of its threads are taken; another's call goes through, in a thread that is not the loop's."""
    woken, release = threading.Event(), threading.Event()
    bulkhead = Bulkhead(woken.set)

    def hang(request: Charge, call: Call) -> bool:
        return release.wait(WAIT)

    for number in (1, 2):
        bulkhead.begin(job(number, SLOW, hang))
    bulkhead.begin(job(3, FAST, thread))
    [(number, where)] = collected(bulkhead, woken, 1)
    assert number == 3
    assert where is not threading.current_thread()
    release.set()
    assert {ended.number for ended in collected(bulkhead, woken, 2)} == {1, 2}
    bulkhead.close()


def test_threads_end_when_it_is_closed() -> None:
    """After the call in hand; nobody waits for one that hangs."""
    woken = threading.Event()
    bulkhead = Bulkhead(woken.set)
    for number in (1, 2):
        bulkhead.begin(job(number, SLOW, thread))
    ended = collected(bulkhead, woken, 2)
    bulkhead.close()
    for _, where in ended:
        assert isinstance(where, threading.Thread)
        where.join(WAIT)
        assert not where.is_alive()
