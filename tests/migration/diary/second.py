"""The diary's second release: it also takes `Correct`, which the first has no reader for (R30)."""

from __future__ import annotations

from magnetar.runtime import Actor, App, Command, Context, Key, Policy, replace
from tests.migration.diary.first import (
    NAME,
    NAMESPACE,
    SHARDS,
    Diary,
    dry,
    readers,
    was_read,
    write,
)


class Correct(Command):
    """Takes a number back: it stands as a negative one where it was taken back."""

    __namespace__ = NAMESPACE
    diary: Key
    number: int


diaries = Actor("diaries", Diary, policy=Policy(partitions=SHARDS))
diaries.handles(write)
diaries.handles(was_read)
diaries.handles(dry)


@diaries.handles
def correct(diary: Diary, message: Correct, context: Context) -> Diary:
    """Take it back."""
    return replace(diary, written=(*diary.written, -message.number))


APP = App(NAME, diaries, readers)
