"""The diary's third release: its state has a field more, which code before it would drop (R16)."""

from __future__ import annotations

from magnetar.runtime import Actor, App, Context, Policy, State, replace
from tests.migration.diary import first, second
from tests.migration.diary.first import NAME, NAMESPACE, SHARDS, readers


class Diary(State):
    """As it was, and how many numbers were written since there is this field."""

    __namespace__ = NAMESPACE
    written: tuple[int, ...] = ()
    read: tuple[int, ...] = ()
    dried: int = 0
    counted: int = 0


diaries = Actor("diaries", Diary, policy=Policy(partitions=SHARDS))


@diaries.handles
def write(diary: Diary, message: first.Write, context: Context) -> Diary:
    """Write it down, count it, and have it read."""
    context.send(first.Read(reader=context.key, number=message.number))
    context.schedule(first.Dry(number=message.number), after=1)
    return replace(diary, written=(*diary.written, message.number), counted=diary.counted + 1)


@diaries.handles
def was_read(diary: Diary, message: first.WasRead, context: Context) -> Diary:
    """A reader has answered."""
    return replace(diary, read=(*diary.read, message.number))


@diaries.handles
def dry(diary: Diary, message: first.Dry, context: Context) -> Diary:
    """Nothing was written for a second."""
    return replace(diary, dried=message.number)


@diaries.handles
def correct(diary: Diary, message: second.Correct, context: Context) -> Diary:
    """Take it back."""
    return replace(diary, written=(*diary.written, -message.number))


APP = App(NAME, diaries, readers, contracts=1)
