"""The diary's first release: what is written in it is read out elsewhere, and it is told so. All of it keeps the order.

It is run by released code too, so it may use only what the oldest release that is tried here has.
"""

from __future__ import annotations

import os

from magnetar.runtime import Actor, App, Command, Context, Event, Key, Policy, State, Timer, replace

NAMESPACE = "diary"
NAME = os.environ.get("DIARY_NAME", "diary")
"""Each test has topics of its own."""

SHARDS = 4


class Write(Command):
    """Puts a number into a diary."""

    __namespace__ = NAMESPACE
    diary: Key
    number: int


class Read(Command):
    """Asks a reader to read a number of the diary of the same key."""

    __namespace__ = NAMESPACE
    reader: Key
    number: int


class WasRead(Event):
    """A reader has read a number."""

    __namespace__ = NAMESPACE
    diary: Key
    number: int


class Dry(Timer):
    """Comes a second after the latest number."""

    __namespace__ = NAMESPACE
    number: int


class Diary(State):
    """What was written, what of it was read, and the last number that has dried."""

    __namespace__ = NAMESPACE
    written: tuple[int, ...] = ()
    read: tuple[int, ...] = ()
    dried: int = 0


class Reader(State):
    """What was read."""

    __namespace__ = NAMESPACE
    read: tuple[int, ...] = ()


diaries = Actor("diaries", Diary, policy=Policy(partitions=SHARDS))
readers = Actor("readers", Reader, publishes=[WasRead], policy=Policy(partitions=SHARDS))


@diaries.handles
def write(diary: Diary, message: Write, context: Context) -> Diary:
    """Write it down, and have it read."""
    context.send(Read(reader=context.key, number=message.number))
    context.schedule(Dry(number=message.number), after=1)
    return replace(diary, written=(*diary.written, message.number))


@diaries.handles
def was_read(diary: Diary, message: WasRead, context: Context) -> Diary:
    """A reader has answered."""
    return replace(diary, read=(*diary.read, message.number))


@diaries.handles
def dry(diary: Diary, message: Dry, context: Context) -> Diary:
    """Nothing was written for a second."""
    return replace(diary, dried=message.number)


@readers.handles
def read(reader: Reader, message: Read, context: Context) -> Reader:
    """Read it, and say so."""
    context.publish(WasRead(diary=context.key, number=message.number))
    return replace(reader, read=(*reader.read, message.number))


APP = App(NAME, diaries, readers)
