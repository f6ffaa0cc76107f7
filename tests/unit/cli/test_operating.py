"""What `magnetar keys` and `magnetar dlq` do to a live worker's keys and dead letters, and what they say."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from magnetar.runtime import Actor, App, Client, Command, Context, Key, Policy, Retry, State, replace
from magnetar.runtime.bus.memory import Broker
from magnetar.runtime.cli import program
from magnetar.runtime.compose.places import EmbeddedBus, provision_embedded, store_place
from magnetar.runtime.compose.running import RunningWorker
from magnetar.runtime.identity import id_of, to_text
from magnetar.runtime.store.views import Which
from magnetar.runtime.threads.loop import wall_clock
from magnetar.runtime.worker.engine import Settings
from magnetar.runtime.worker.reception import Office

STORE = ("--store", "sqlite:///desk.db")
WHY = ("--why", "a test", "--who", "ann")
WAIT = 20.0
QUICK = Settings(office=Office(poll=0.01, busy=0.01))


class Try(Command):
    """Succeeds once it has failed so many times."""

    thing: Key
    number: int = 0
    fails: int = 0


class Rest(Command):
    """Another type."""

    thing: Key


class Thing(State):
    """What was done, in order."""

    done: tuple[int, ...] = ()


things = Actor("things", Thing, policy=Policy(partitions=2, retry=Retry(immediate=1, tiers=(600.0,), attempts=2)))


@things.handles
def attempt(thing: Thing, message: Try, context: Context) -> Thing:
    """It raises, or notes the number."""
    if context.envelope.attempt < message.fails:
        raise ValueError(f"thing {context.key} is not ready, try {context.envelope.attempt}")
    return replace(thing, done=(*thing.done, message.number))


@things.handles
def rest(thing: Thing, message: Rest, context: Context) -> Thing:
    """It notes that."""
    return replace(thing, done=(*thing.done, -1))


app = App("desk", things)


def until(question: Callable[[], object], what: str) -> None:
    """Wait for a condition, or fail."""
    end = time.monotonic() + WAIT
    while not question():
        assert time.monotonic() < end, f"no {what} within {WAIT} s"
        time.sleep(0.005)


class Desk:
    """A worker on a file, who sends it messages, and the program in the same folder."""

    def __init__(self, capsys: pytest.CaptureFixture[str], *, edits: bool = False) -> None:
        self.capsys = capsys
        wiring = app.wire()
        broker = Broker(wall_clock)
        provision_embedded(broker, wiring)
        place = store_place("sqlite:///desk.db")
        self.worker = RunningWorker(wiring, EmbeddedBus(broker), place, owner="w", settings=QUICK, edits=edits)
        self.worker.start()
        until(lambda: self.worker.ready, "ready worker")
        self.views = place.views()
        self.client = Client(wiring, EmbeddedBus(broker).connect("client"), place.views())

    def send(self, *messages: Command) -> None:
        """Send, and wait until each has a disposition."""
        for message in messages:
            self.settle(self.client.send(message))

    def settle(self, sent: str) -> None:
        """Wait until a message has a disposition."""
        until(lambda: self.views.entry("things", id_of(sent)), "disposition")

    def reason(self, key: str) -> str:
        """Why a key waits, or ''."""
        parked = self.views.parked_key("things", key)
        return "" if parked is None else parked.reason

    def run(self, *words: str) -> tuple[int, str, str]:
        """The exit status of a command, and what it printed."""
        status = program.run([*words, *STORE])
        printed = self.capsys.readouterr()
        return status, printed.out, printed.err

    def json(self, *words: str) -> Any:
        """What a command that succeeds says in JSON."""
        status, out, err = self.run(*words, "--json")
        assert status == 0, err
        return json.loads(out)

    def done(self, key: str) -> tuple[int, ...]:
        """What the thing has done by the last version of its state."""
        rows = self.views.timeline("things", key)
        return tuple(row.version for row in rows if row.disposition == "applied")

    def close(self) -> None:
        """End it all."""
        self.client.close()
        self.views.close()
        self.worker.kill()


@pytest.fixture
def lenient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Desk]:
    """One whose worker lets dead letters be edited."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setattr(logging, "raiseExceptions", False)  # what an earlier test has logged to may be closed
    desk = Desk(capsys, edits=True)
    yield desk
    desk.close()


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Desk]:
    """In a wide terminal."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setattr(logging, "raiseExceptions", False)  # what an earlier test has logged to may be closed
    desk = Desk(capsys)
    yield desk
    desk.close()


def test_a_key_is_paused_listed_and_resumed(desk: Desk) -> None:
    """Its messages wait meanwhile, who asked and why is in the list, in its timeline and in the request's row."""
    assert desk.run("keys", "pause", "things/a", *WHY) == (
        0,
        "done     things/a is paused; 0 messages wait for it\n",
        "",
    )
    desk.send(Try(thing="a", number=1), Try(thing="b", number=1))
    [key] = desk.json("keys", "list")["keys"]
    assert (key["key"], key["reason"], key["waiting"]) == ("a", "paused", 1)
    assert "1 key, 1 message waiting" in desk.run("keys", "list", "--actor", "things")[1]
    assert desk.json("keys", "list", "--reason", "held")["keys"] == []
    [request] = desk.json("keys", "resume", "things/a", *WHY)["requests"]
    assert (request["status"], request["who"], request["why"]) == ("done", "ann", "a test")
    until(lambda: desk.done("a") == (1,), "applied message")
    assert [each["what"] for each in desk.json("key", "timeline", "things/a")["requests"]] == ["pause", "resume"]
    assert "ann asked to resume: a test; done: things/a goes on" in " ".join(
        desk.run("key", "timeline", "things/a")[1].split()
    )
    assert "no key waits" in desk.run("keys", "list")[1]


def test_a_type_and_an_actor_are_paused(desk: Desk) -> None:
    """In each shard of the actor; both are in the list until they are resumed."""
    assert [
        each["status"] for each in desk.json("keys", "pause", "--actor", "things", "--type", "Try", *WHY)["requests"]
    ] == [
        "done",
        "done",
    ]
    desk.send(Try(thing="a", number=1), Rest(thing="a"), Rest(thing="b"))
    assert desk.done("b") == (1,)
    found = desk.json("keys", "list")
    assert [(pause["type"].rpartition(".")[2], len(pause["shards"])) for pause in found["pauses"]] == [("Try", 2)]
    assert [(key["key"], key["reason"], key["waiting"]) for key in found["keys"]] == [("a", "stopped", 2)]
    assert "paused  Try of things (2 shards)  by ann" in desk.run("keys", "list")[1]
    assert desk.run("keys", "resume", "--actor", "things", "--type", "Try", *WHY)[0] == 0
    until(lambda: desk.done("a") == (1, 2), "applied messages")
    assert desk.run("keys", "pause", "--actor", "things", *WHY)[0] == 0
    assert "paused  everything of things (2 shards)" in desk.run("keys", "list")[1]
    assert desk.run("keys", "resume", "--actor", "things", *WHY)[0] == 0
    assert desk.run("keys", "pause", "--actor", "things", "--type", "Nope", *WHY)[0] == 1


def test_failing_keys_are_retried_and_skipped(desk: Desk) -> None:
    """One by name, all of an actor by their error; nobody waits ten minutes."""
    desk.send(*[Try(thing=key, number=1, fails=1) for key in "abc"], Try(thing="a", number=2))
    assert desk.run("keys", "retry", "--actor", "things", "--error", "OSError", *WHY) == (0, "", "")
    assert desk.run("keys", "retry", "things/c", *WHY)[0] == 0
    assert (
        len(desk.json("keys", "retry", "--actor", "things", "--error", "ValueError", "--type", "Try", *WHY)["requests"])
        == 2
    )
    until(lambda: (desk.done("a"), desk.done("b"), desk.done("c")) == ((1, 2), (1,), (1,)), "applied messages")
    desk.send(Try(thing="d", number=1, fails=9), Try(thing="d", number=2))
    assert desk.run("keys", "skip", "things/d", *WHY)[0] == 0
    until(lambda: desk.done("d") == (1,), "applied tail")
    status, out, _ = desk.run("keys", "skip", "things/d", "things/never", *WHY)
    assert status == 1
    assert out.count("refused  things/") == 2


def held(desk: Desk, key: str) -> bool:
    """Whether a message of the key has died."""
    return desk.reason(key) == "held"


def test_dead_letters_are_found_counted_and_shown(desk: Desk) -> None:
    """Two keys with one cause are one group, whatever their texts name."""
    for key in ("a-1", "a-2"):
        desk.send(Try(thing=key, number=7, fails=9))
        desk.run("keys", "retry", f"things/{key}", *WHY)
        until(partial(held, desk, key), "dead letter")
    [group] = desk.json("dlq", "groups")["groups"]
    assert (group["letters"], group["keys"], group["error"]) == (2, 2, "ValueError")
    assert "2 dead letters in 1 group" in desk.run("dlq", "groups", "--since", "1h")[1]
    letters = desk.json("dlq", "list", "--group", group["fingerprint"][:4].upper(), "--key", "a-1")["letters"]
    assert [(letter["key"], letter["failures"], letter["status"]) for letter in letters] == [("a-1", 2, "dead")]
    assert "2 dead letters" in desk.run("dlq", "list", "--type", "Try", "--error", "ValueError", "--until", "0s")[1]
    assert "no dead letter" in desk.run("dlq", "list", "--status", "discarded")[1]
    name = letters[0]["message_id"]
    detail = desk.json("dlq", "show", f"…{name[-8:]}")
    assert detail["content"]["value"] == {"thing": "a-1", "number": 7, "fails": 9}
    assert [each["number"] for each in detail["attempts"]] == [1, 2]
    shown = " ".join(desk.run("dlq", "show", name)[1].split())
    assert f"Try for things/a-1 {name} dead" in shown
    assert "error ValueError: thing a-1 is not ready, try 1" in shown


def test_dead_letters_are_discarded(desk: Desk) -> None:
    """Only with --apply; the key that one of them held goes on."""
    desk.send(Try(thing="a", number=1, fails=9), Try(thing="a", number=2))
    desk.run("keys", "retry", "things/a", *WHY)
    until(lambda: desk.views.dead_letters("things"), "dead letter")
    name = to_text(desk.views.dead_letters("things")[0].message_id)
    status, _, err = desk.run("dlq", "discard", "--actor", "things", *WHY)
    assert (status, err) == (0, "1 dead letter of 1 key would be discarded: add --apply to do it\n")
    assert desk.json("dlq", "discard", name, *WHY)["applied"] is False
    assert desk.views.dead_letters("things")[0].status == "dead"
    assert desk.run("dlq", "discard", name, "--apply", *WHY)[0] == 0
    until(lambda: desk.done("a") == (1,), "applied tail")
    assert desk.views.dead_letters("things")[0].status == "discarded"
    assert desk.run("dlq", "discard", name, "--apply", *WHY)[0] == 1
    assert desk.run("dlq", "discard", "--actor", "things", *WHY)[0] == 1


def died(desk: Desk, *keys: str, fails: int = 3) -> None:
    """A message of each of these keys, numbered in their order, has died, and would be applied at its next attempt."""
    for number, key in enumerate(keys):
        desk.send(Try(thing=key, number=number, fails=fails))
        desk.run("keys", "retry", f"things/{key}", *WHY)
        until(partial(held, desk, key), "dead letter")


def test_dead_letters_are_replayed(desk: Desk) -> None:
    """Shown first, then done: what fails again is told, what is applied lets its key go on, in order."""
    died(desk, "a", "b", fails=2)
    desk.send(Try(thing="a", number=7))
    died(desk, "c", fails=9)
    chosen = ("dlq", "replay", "--actor", "things", "--stop-at", "0.9", "--rate", "100")
    status, out, err = desk.run(*chosen)
    assert status == 0
    assert "3 dead letters in 1 group" in out
    assert err == (
        "3 dead letters would be tried again: 1 first, then 100 a second (about 30 ms), stopping when more than 90% "
        "fail again: add --apply to do it\n"
    )
    assert desk.json(*chosen)["applied"] is False
    assert len(desk.views.letters(Which())) == 3
    status, out, err = desk.run(*chosen, "--apply", *WHY)
    assert status == 1
    assert "of 3 dead letters 2 applied, 1 failed again" in out
    until(lambda: desk.done("a") == (1, 2), "applied tail")
    assert desk.done("b") == (1,)
    [left] = desk.views.letters(Which())
    assert (left.key, left.replays, left.failures) == ("c", 1, 3)
    [replay] = desk.json("dlq", "replays")["replays"]
    assert (replay["status"], replay["who"], replay["chosen"]) == ("done", "ann", "actor things")
    assert "2 applied, 1 failed again" in desk.run("dlq", "replays")[1]
    assert desk.run(*chosen, "--apply", "--most", "1", *WHY)[0] == 1
    assert "1 refused" in desk.run("dlq", "replays")[1]


def test_nobody_edits_unless_it_is_allowed(desk: Desk) -> None:
    """And the answer says how."""
    died(desk, "a", fails=9)
    [letter] = desk.views.letters(Which())
    edit = ("dlq", "edit", to_text(letter.message_id), '{"thing": "a"}', "--apply", *WHY)
    status, out, _ = desk.run(*edit)
    assert (status, "MAGNETAR_EDITS=true" in out) == (1, True)
    assert desk.views.letters(Which()) == [letter]


def test_a_dead_letter_is_edited_and_replayed(lenient: Desk) -> None:
    """Checked against its type; its key stays, and what it said is kept."""
    desk = lenient
    died(desk, "a", fails=9)
    [letter] = desk.views.letters(Which())
    name = to_text(letter.message_id)
    wrong = {
        '{"thing": "b", "number": 5}': "may not be made one for 'b'",
        '{"thing": "a", "number": "five"}': "this is no Try: Expected `int`, got `str` - at `$.number`",
        '{"thing": "a", "numbr": 5}': "it has no field $.numbr",
        '{"thing"': "this is no Try",
    }
    for value, why in wrong.items():
        status, out, _ = desk.run("dlq", "edit", name, value, "--apply", *WHY)
        assert status == 1, value
        assert why in out
    assert desk.views.letters(Which()) == [letter]
    assert desk.run("dlq", "edit", name, '{"thing": "a", "number": 5}', *WHY)[0] == 0
    assert desk.run("dlq", "edit", name, '{"thing": "a", "number": 5}', "--apply", *WHY)[0] == 0
    detail = desk.json("dlq", "show", name)
    assert detail["content"]["value"] == {"thing": "a", "number": 5, "fails": 0}
    [edit] = detail["edits"]
    assert edit["before"]["value"] == {"thing": "a", "number": 0, "fails": 9}
    assert (edit["who"], edit["why"]) == ("ann", "a test")
    assert "edited by ann" in " ".join(desk.run("dlq", "show", name)[1].split())
    assert desk.run("keys", "retry", "things/a", *WHY)[0] == 0
    assert desk.done("a") == (1,)
    assert desk.run("dlq", "edit", name, '{"thing": "a"}', "--apply", *WHY)[0] == 1


def test_a_replay_stops_when_too_many_fail_and_is_resumed(desk: Desk) -> None:
    """With what was chosen then; what was tried is not tried again."""
    died(desk, "a", fails=9)
    died(desk, "b", "c", fails=2)
    status, _, err = desk.run("dlq", "replay", "--type", "Try", "--apply", *WHY)
    assert status == 1
    assert "stopped: 100% of those tried have failed again" in err
    assert [letter.replays for letter in desk.views.letters(Which(key="b"))] == [0]
    died(desk, "d", fails=2)
    name = err.rpartition("--resume ")[2].strip()
    status, out, _ = desk.run("dlq", "replay", "--resume", name[-8:], "--wait", "20")
    assert (status, "of 3 dead letters 2 applied, 1 failed again" in out) == (1, True)
    assert [letter.key for letter in desk.views.letters(Which())] == ["d", "a"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("keys", "pause", *WHY), "which key? name one, such as orders/o-1, or a whole actor with --actor"),
        (
            ("keys", "pause", "things/a", "--actor", "things", *WHY),
            "name keys, or a whole actor with --actor, not both",
        ),
        (("keys", "pause", "things/a", "--type", "Try", *WHY), "--type needs --actor"),
        (("keys", "pause", "a", *WHY), "'a' names no key"),
        (("keys", "pause", "nope/a", *WHY), "this store knows no actor 'nope'; it knows things"),
        (("keys", "pause", "things/a", "--why", " "), "--why is ' ': write 1 to 500 printable characters"),
        (("keys", "skip", *WHY), "Missing argument"),
        (("dlq", "show", "xyz"), "'xyz' is no message id: write it whole, or at least its last 6 digits"),
        (("dlq", "show", "abcdef"), "there is no dead letter 'abcdef'"),
        (("dlq", "list", "--since", "yesterday"), "'yesterday' is no time: write an age such as 2h"),
        (("dlq", "discard", *WHY), "which dead letters?"),
        (("dlq", "replay", *WHY), "which dead letters?"),
        (("dlq", "replay", "--actor", "things", "--apply"), "why? say it with --why"),
        (("dlq", "replay", "--actor", "things", "--apply", *WHY), "there is no such dead letter"),
        (("dlq", "replay", "--resume", "abc"), "'abc' is the id of 0 replays"),
    ],
)
def test_what_cannot_be_understood_says_what_can(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    says: str,
) -> None:
    """Exit status 2, and nothing is asked."""
    monkeypatch.chdir(tmp_path)
    with closing(store_place("sqlite:///desk.db").open()) as store:
        store.prepare({"things": 2}, [])
    assert program.run([*words, *STORE]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert says in printed.err


def test_a_worker_that_is_away_is_an_exit_status_of_three(desk: Desk) -> None:
    """What was asked stays asked: the next owner does it."""
    desk.worker.kill()
    status, out, err = desk.run("keys", "pause", "things/a", "--wait", "0", *WHY)
    assert (status, out.split(";")[0]) == (3, "waiting  things/a: nobody has answered yet")
    assert "it is done as soon as its shard has an owner" in err
