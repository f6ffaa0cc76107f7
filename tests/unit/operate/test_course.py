"""Whatever is answered, in whatever order, and whenever a tool dies: a replay keeps each key's order, and its share."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from magnetar.runtime.operate.course import ENOUGH, Course
from magnetar.runtime.store.replays import Replayed, ReplayLetter
from magnetar.runtime.store.requests import RequestStatus

ANSWERS = st.sampled_from(["done", "done", "done", "failed", "refused"])


def letters(*keys: int) -> list[ReplayLetter]:
    """One for each of these keys, in this order."""
    return [
        ReplayLetter(number, number.to_bytes(16, "big"), "orders", number.to_bytes(16, "big"), "orders/0", f"o-{key}")
        for number, key in enumerate(keys, 1)
    ]


def course(*keys: int, canary: int = 1, stop_at: float = 0.1) -> Course:
    """Of letters of these keys."""
    return Course(letters(*keys), [], canary, stop_at)


def stops(course: Course) -> bool:
    """Whether too many have failed."""
    return course.too_many_failed


def begins(course: Course) -> bool:
    """Whether the first ones are not through yet."""
    return course.in_canary


@given(st.lists(st.integers(0, 4), max_size=12), st.data())
def test_each_keys_order_is_kept_whoever_dies(keys: list[int], data: st.DataObject) -> None:
    """A letter goes when all before it of its key were applied; never twice; at the end each was tried, or is behind.

    At any time another tool may go on from what the store knows.
    """
    chosen, asked, status = letters(*keys), set[int](), dict[int, str]()
    now = Course(chosen, [], 3, 1.0)
    while not now.over:
        if data.draw(st.integers(0, 3)) == 0:
            known = [Replayed(number, status.get(number, "asked")) for number in sorted(asked)]
            before, now = now.progress, Course(chosen, known, 3, 1.0)
            assert now.progress == before
        for letter in now.next(data.draw(st.integers(1, 5))):
            assert letter.number not in asked
            asked.add(letter.number)
            earlier = [each for each in chosen if each.key == letter.key and each.number < letter.number]
            assert all(status.get(each.number) == RequestStatus.DONE for each in earlier)
        for letter in now.on_their_way:
            if data.draw(st.booleans()):
                status[letter.number] = data.draw(ANSWERS)
                now.answered(letter.number, status[letter.number])
    progress = now.progress
    assert progress.waiting == progress.left == 0
    assert progress.applied + progress.failed + progress.refused + progress.behind == len(keys)
    assert asked == set(status)
    untried = [letter for letter in chosen if letter.number not in asked]
    assert len(untried) == progress.behind
    for letter in untried:
        assert any(status.get(each.number) in {"failed", "refused"} for each in chosen if each.key == letter.key), (
            "somebody is behind nobody"
        )


def test_a_few_go_first_alone() -> None:
    """No other until they are answered; those refused count as answered."""
    now = course(*range(10), canary=3)
    first = now.next(now.canary_left())
    assert [letter.number for letter in first] == [1, 2, 3]
    assert now.canary_left() == 0
    now.answered(1, "refused")
    now.answered(2, "done")
    assert begins(now)
    assert now.canary_left() == 0
    now.answered(3, "done")
    assert not begins(now)
    assert not stops(now)


def test_one_failing_canary_stops_it() -> None:
    """And two of ten do not, where half may."""
    now = course(*range(5))
    [letter] = now.next(1)
    now.answered(letter.number, "failed")
    assert stops(now)
    now = course(*range(50), canary=10, stop_at=0.5)
    for letter in now.next(10):
        now.answered(letter.number, "failed" if letter.number <= 2 else "done")
    assert not stops(now)


def test_the_share_is_judged_from_enough_answers() -> None:
    """One that fails right after the first is no tenth of all."""
    now = course(*range(100))
    for letter in now.next(ENOUGH - 1):
        now.answered(letter.number, "failed" if letter.number == 2 else "done")
    assert not stops(now)
    for letter in now.next(2):
        now.answered(letter.number, "failed")
    assert stops(now)


def test_whoever_resumes_what_had_stopped_begins_the_share_anew() -> None:
    """What has failed stays told; a few go first again."""
    known = [Replayed(number, "failed") for number in range(1, ENOUGH + 1)]
    now = Course(letters(*range(50)), known, 2, 0.1)
    assert stops(now)
    now.forgive()
    assert not stops(now)
    assert begins(now)
    assert now.canary_left() == 2
    assert now.progress.failed == ENOUGH
