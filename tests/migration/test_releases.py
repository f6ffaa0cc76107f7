"""A release's code on a store of this code, and this code on a store of a release: nothing is lost, all goes on."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from magnetar.runtime.compose.places import store_place
from magnetar.runtime.operate.holding import survey
from magnetar.runtime.store.port import ShardRow, StoreUnavailable
from tests.migration.bank import BANK
from tests.migration.releases import RELEASES, Code, Release, unpacked
from tests.migration.story import Place, Story


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.version)
def test_a_released_wheel_is_as_it_was_released(release: Release) -> None:
    """What is tried here is what users have."""
    assert hashlib.sha256(release.wheel.read_bytes()).hexdigest() == release.sha256


def test_a_release_is_tried_by_its_own_code(pair: tuple[Release, str], story: Story, old: Code) -> None:
    """Not by this work tree's, which is installed beside its dependencies (`Story.live` asks after each life)."""
    story.deposit("a")
    assert story.live(old).version == pair[0].version


def test_new_code_goes_on_with_what_a_release_left(story: Story, old: Code, new: Code) -> None:
    """States, journal, answers, rows, an unsent message and armed timers: all is read, sent and fired once."""
    story.deposit("a", "b", "a")
    story.live(old)
    story.deposit("c")
    story.die(old)
    story.deposit("a", "d")
    report = story.live(new)
    assert len(report.counts) == 3, "the unsent one, and those of this life"
    story.pass_an_hour()
    story.live(new)
    assert story.reminded.total() == 4


def test_a_release_may_come_back(story: Story, old: Code, new: Code) -> None:
    """Rolled back after a deploy, the release works on the newer layout; deployed again, new code finds all it did."""
    story.deposit("a", "b", "a")
    story.live(new)
    before = shards(story)
    story.deposit("c")
    story.die(new)
    story.deposit("a", "d")
    story.live(old)
    story.pass_an_hour()
    story.live(old)
    story.deposit("b", "e")
    story.live(new)
    check_shards(before, shards(story), takings=4)


def test_a_release_and_new_code_in_turn(story: Story, old: Code, new: Code) -> None:
    """Each is killed with something unsent, and the other goes on; timers of one are fired by the other."""
    for one, other in ((old, new), (new, old)):
        story.deposit("a")
        story.die(one)
        story.deposit("b")
        story.live(other)
        story.deposit("a")
        story.live(one)
        story.pass_an_hour()
        story.live(other)
    assert story.reminded == {"a": 2, "b": 2}


def test_a_post_migration_ends_the_use_by_a_release(story: Story, old: Code, new: Code) -> None:
    """The release refuses it with a word on what to do, before it changes anything; all is there for newer code."""
    story.deposit("a")
    story.live(new)
    before = shards(story)
    story.place.rows("INSERT INTO migrations VALUES (9998, 'pre', 'tomorrow', 'x')")
    story.deposit("b")
    story.live(old)
    story.place.rows("INSERT INTO migrations VALUES (9999, 'post', 'the day after', 'x')")
    story.deposit("c")
    done = story.run(old)
    assert done.returncode == 1
    assert "StoreMismatch: the store has migration 9999" in done.stderr
    assert "run the newer version" in done.stderr
    story.place.rows("DELETE FROM migrations WHERE number = 9999")  # what newer code, which knows it, makes of it
    story.live(new)
    check_shards(before, shards(story), takings=2)


def test_operators_wait_for_the_migration(tmp_path: Path, place_of: Callable[[str], Place]) -> None:
    """Newer code shows nothing of a store that lacks migrations, which only a worker runs, and says so."""
    story = Story(place_of("sqlite"), count(1).__next__)
    story.deposit("a")
    story.live(unpacked(RELEASES[0], tmp_path / "released"))  # its file does lack some; a later one's may lack none
    with pytest.raises(StoreUnavailable, match="lacks migrations"):
        store_place(story.place.url).views()


def test_what_a_release_holds_is_judged_before_it_is_migrated(story: Story, old: Code) -> None:
    """So that newer code is judged by the store that it is about to go on with, also where its tables differ."""
    story.deposit("a", "b")
    story.die(old)
    held = store_place(story.place.url).held()
    try:
        found = survey(held, BANK.wire())
    finally:
        held.close()
    assert found.well
    counts = {(each.what, each.type): each.rows for each in found.held}
    assert counts["states", "tests.Account"] == 1
    assert counts["outbox", "tests.Count"] == 1
    assert counts["timers", "tests.Reminder"] == 1


def test_the_story_fits_postgresql_too(place_of: Callable[[str], Place], new: Code) -> None:
    """No release knows PostgreSQL yet; until one does, the story is kept true there with new code on both sides."""
    story = Story(place_of("postgresql"), count(1).__next__)
    story.deposit("a", "b")
    story.live(new)
    story.deposit("a")
    story.die(new)
    story.pass_an_hour()
    story.live(new)


def shards(story: Story) -> list[ShardRow]:
    """All shard rows."""
    views = store_place(story.place.url).views()
    try:
        return views.shards()
    finally:
        views.close()


def check_shards(before: list[ShardRow], after: list[ShardRow], takings: int) -> None:
    """Each was taken so often and given back; what only newer code writes is as newer code leaves it."""
    now = time.time_ns() // 1000
    for old, new in zip(before, after, strict=True):
        assert (new.epoch, new.owner, new.clean) == (old.epoch + takings, "", True)
        assert new.commits >= old.commits
        assert new.lane >= old.lane
        assert (new.generation, new.contracts) == (old.generation, 0)
        assert old.since < new.since <= now
        assert new.why
