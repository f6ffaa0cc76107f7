"""The watchdog, and the thread for questions."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

from magnetar.runtime.threads.asking import Asking
from magnetar.runtime.threads.loop import Pulse, Wakeup
from magnetar.runtime.threads.watchdog import HUNG, LOOKS, Gaze, Watchdog
from magnetar.runtime.worker.stint import Stint

HANGS = """
import time
from magnetar.runtime.threads.loop import Pulse
from magnetar.runtime.threads.watchdog import Watchdog
pulse = Pulse()
watchdog = Watchdog(pulse, deadline=0.1)
def a_handler_that_hangs():
    pulse.stepping_since = time.monotonic()
    time.sleep(30)
a_handler_that_hangs()
"""


KEEPS_THE_LOCK = """
import ctypes
from magnetar.runtime.threads.watchdog import Backstop
backstop = Backstop(0.1)
backstop.look()
def a_library_that_hangs():
    ctypes.PyDLL(None).sleep(30)
a_library_that_hangs()
"""


def test_what_keeps_the_lock_ends_the_process_too() -> None:
    """No other thread runs any more; the one that ends it needs no lock, and says where it was."""
    done = subprocess.run(
        [sys.executable, "-c", KEEPS_THE_LOCK], capture_output=True, text=True, timeout=20, check=False
    )
    assert done.returncode == 1
    assert "a_library_that_hangs" in done.stderr


def test_a_long_group_is_no_hang_and_a_handler_has_its_own_deadline() -> None:
    """Each message begins anew; and one may take what its actor's policy says, however short other steps must be."""
    pulse, heard, stint = Pulse(), list[float](), Stint(deadline=0.4)
    pulse.stepping_since = time.monotonic()
    watchdog = Watchdog(pulse, 0.1, heard.append, stint, quickest=0.4)
    end = time.monotonic() + 1.0
    while time.monotonic() < end:
        stint.count += 1
        assert not watchdog._closing.wait(0.15)
    assert heard == []
    watchdog._thread.join(10)
    watchdog.close()
    assert len(heard) == 1


def test_a_step_past_its_deadline_is_told() -> None:
    """Once, with the seconds that it has taken (R28)."""
    pulse, told, heard = Pulse(), threading.Event(), list[float]()

    def hung(stalled: float) -> None:
        heard.append(stalled)
        told.set()

    pulse.stepping_since = time.monotonic()
    watchdog = Watchdog(pulse, deadline=0.05, hung=hung)
    assert told.wait(5)
    watchdog.close()
    assert len(heard) == 1
    assert heard[0] > 0.05


def test_many_short_steps_and_a_long_sleep_are_no_hang() -> None:
    """What counts is the step in hand: between steps there is none."""
    pulse, heard = Pulse(), list[float]()
    watchdog = Watchdog(pulse, deadline=0.2, hung=heard.append)
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        pulse.stepping_since = time.monotonic()
    pulse.stepping_since = None
    assert not watchdog._closing.wait(0.4)
    watchdog.close()
    assert heard == []


def test_looks_are_counted_and_not_seconds() -> None:
    """A process that was frozen for an hour has taken no time of its own: it must not end itself when it thaws."""
    gaze = Gaze()
    assert not gaze.tires(-3600.0), "the first look at a step that began an hour ago"
    assert not gaze.tires(5.0), "another step"
    assert [gaze.tires(5.0) for _ in range(LOOKS)] == [False] * (LOOKS - 1) + [True]


def test_a_hanging_handler_ends_the_process() -> None:
    """With a status of its own, a word about it, and where every thread stands."""
    done = subprocess.run([sys.executable, "-c", HANGS], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == HUNG
    assert "a handler that hangs?" in done.stderr
    assert "a_handler_that_hangs" in done.stderr


def test_questions_are_asked_in_order() -> None:
    """By one thread, which ends after the question in hand."""
    asking, answers, last = Asking(), list[int](), threading.Event()
    for number in range(50):
        asking.ask(lambda number=number: answers.append(number))  # type: ignore[misc]
    asking.ask(last.set)
    assert last.wait(5)
    asking.close()
    asking._thread.join(5)
    assert answers == list(range(50))
    assert not asking._thread.is_alive()


def test_a_wake_up_before_the_sleep_is_not_lost() -> None:
    """Whoever woke the loop while it was stepping is seen at its next sleep, once."""
    wakeup = Wakeup()
    wakeup()
    start = time.monotonic()
    wakeup.wait(5)
    assert time.monotonic() - start < 1
    start = time.monotonic()
    wakeup.wait(0.05)
    assert time.monotonic() - start >= 0.04
