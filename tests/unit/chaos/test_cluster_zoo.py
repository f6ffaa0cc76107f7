"""The zoo's second house: its bugs fit the product, break it, are and fail the command when they get away."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from functools import partial
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import msgspec
import pytest
from typer.testing import CliRunner

from magnetar.chaos import cli
from magnetar.chaos.cluster.crew import PROGRAM, command
from magnetar.chaos.history import History, Restored
from magnetar.chaos.measuring.findings import the_store_was_never_behind
from magnetar.chaos.playing.leading import NoCluster
from magnetar.chaos.playing.session import LOGS
from magnetar.chaos.record.shape import Bound, Check, Record
from magnetar.chaos.simulation import Schedule, simulate
from magnetar.chaos.verdict import Verdict
from magnetar.chaos.zoo.bug import Change, Promise, TargetGone, broken
from magnetar.chaos.zoo.cluster import hunting
from magnetar.chaos.zoo.cluster.broken import MODULE, Noted, program
from magnetar.chaos.zoo.cluster.bug import ClusterBug, all_bugs, plays
from magnetar.chaos.zoo.cluster.inside import MODULE as INSIDE
from magnetar.chaos.zoo.cluster.inside import RAN
from magnetar.chaos.zoo.cluster.judging import Catch, catchers, unsound
from magnetar.runtime.bus.port import Outgoing
from magnetar.runtime.bus.pulsar import native, producer
from magnetar.runtime.cli.exits import BadInput
from magnetar.runtime.routing import partition_of
from magnetar.runtime.worker.turn import Turn
from tests.acceptance.pages import page, tables_of
from tests.unit.chaos.test_chaos_playing import RECORD
from tests.unit.worker.bench import Bench
from tests.unit.worker.test_relay import EVENTS, HOME, say, told

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BUGS = all_bugs()
RUN = CliRunner()
RUN_FILE = Path("ran")
SEEDS = {"acknowledges_what_it_has_taken": 1, "has_no_watchdog": 16, "keeps_its_client": 10}
"""Bugs that a simulation has, too: a schedule in which it shows."""


def same(original: Any, *arguments: Any, **named: Any) -> Any:
    """A change that changes nothing."""
    return original(*arguments, **named)


def made(change: Change) -> ClusterBug:
    """A bug of this one change."""
    return ClusterBug("a.made_up_one", ("R1",), Promise.ONCE, "Z01", "liveness", (change,))


def record(verdict: Verdict, *, check: str = "", reasons: Sequence[str] = ()) -> Record:
    """Of a play in which one checker complains, or none."""
    checks = (Check(check, Verdict.INVALID, {"examined": 4, "wrong": 1}, ()),) if check else ()
    bounds = (Bound("gap", 27.0, 41.0, "why"),)
    return msgspec.structs.replace(RECORD, verdict=verdict, checks=checks, bounds=bounds, reasons=tuple(reasons))


@pytest.mark.parametrize("name", BUGS)
def test_a_bug_says_what_it_breaks_and_where_it_is_caught(name: str) -> None:
    """Its file names the rules; promise, scenario and bound are there."""
    bug = BUGS[name]
    told = import_module(bug.module).__doc__ or ""
    assert [rule for rule in bug.rules if not re.search(rf"\b{rule}\b", told)] == []
    assert bug.promise in {row[0] for row in tables_of(page("README.md"))}
    _, scenario = plays()[bug.play]
    assert bug.caught_by in {*scenario.bounds, "durable before acknowledged", "effects once", "liveness"}


def test_every_play_is_that_of_a_bug() -> None:
    """What nobody plays shows nothing; and they are not those of the ordinary suite."""
    assert set(plays()) == {bug.play for bug in BUGS.values()}
    assert all(name.startswith("Z") for name in plays())


@pytest.mark.parametrize("name", BUGS)
def test_a_bug_fits_the_product_and_leaves_nothing_behind(name: str) -> None:
    """What it changes is there, is another meanwhile, and is whole again."""
    BUGS[name].require_targets()
    originals = [change.found() for change in BUGS[name].changes]
    with broken(BUGS[name].changes):
        assert all(change.found() is not each for change, each in zip(BUGS[name].changes, originals, strict=True))
    assert [change.found() for change in BUGS[name].changes] == originals


def test_what_waits_for_one_broker_is_left_out_where_the_last_number_of_another_is_trusted() -> None:
    """The row behind it was sent, to somebody else."""

    def told_after_a_crash() -> list[str]:
        bench = Bench()
        elsewhere = next(f"k{number}" for number in range(99) if partition_of(f"k{number}", 2) != HOME)
        bench.faults.refuse_sends(EVENTS, HOME)
        say(bench, "one")
        say(bench, "two", branch=elsewhere)
        bench.advance(1)
        bench.crash()
        return told(bench)

    assert told_after_a_crash() == ["one"]
    with broken(BUGS["trusts_the_last_number"].changes):
        assert told_after_a_crash() == []


@pytest.mark.parametrize("name", SEEDS)
def test_a_bug_that_a_simulation_has_too_shows_there(name: str) -> None:
    """The same schedule is valid without it."""
    schedule = Schedule.of(SEEDS[name])
    assert simulate(schedule).verdict is not Verdict.INVALID
    ran = Counter[str]()
    with broken(BUGS[name].changes, ran):
        assert simulate(schedule).verdict is Verdict.INVALID
    assert set(ran) <= set(BUGS[name].targets)


class _Builder:
    """What a message is built of."""

    def __init__(self) -> None:
        self.given: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        return partial(self.given.__setitem__, name)

    def build(self) -> dict[str, Any]:
        """All of it."""
        return self.given


def test_a_message_has_no_number_where_the_client_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has the row's with the product as it is, and all else in either case."""
    monkeypatch.setattr(native, "new_message", _Builder)
    message = Outgoing("o-1", b"body", {"type": "Place"})
    numbered: Any = producer._built(7, message)
    assert numbered["sequence_id"] == 7
    with broken(BUGS["mints_numbers_anew"].changes):
        numberless: Any = producer._built(7, message)
    assert numbered == {**numberless, "sequence_id": 7}


class Places:
    """Three addresses."""

    bus_url, admin_url, store_url = "pulsar://b", "http://b", "postgres://s"


PLACES = Places()


def test_only_a_bug_begins_workers_otherwise() -> None:
    """The usual command is the product's own; a bug's names it, and where its runs are written down."""
    usual = command("python", "app:APP", PLACES)
    assert usual[:3] == ("python", *PROGRAM)
    assert "zoo" not in " ".join(usual)
    wrong = command("python", "app:APP", PLACES, program(BUGS["keeps_its_client"], RUN_FILE))
    assert wrong[:5] == ("python", "-m", MODULE, BUGS["keeps_its_client"].module, str(RUN_FILE))
    assert wrong[5:] == usual[3:]


def test_nobody_runs_a_bug_outside_of_a_chaos_cluster(tmp_path: Path) -> None:
    """It refuses before anything of the product is run, whatever its environment says."""
    done = subprocess.run(
        [sys.executable, "-m", MODULE, BUGS["keeps_its_client"].module, str(tmp_path / "ran"), "worker", "--help"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert "NotEnclosed: not in an enclosure: nobody has entered one" in done.stderr
    assert done.stdout == ""
    assert not (tmp_path / "ran").exists()


def test_what_ran_is_written_down_once(tmp_path: Path) -> None:
    """By each process, when it first runs."""
    file, nobody = tmp_path / RAN, cast("Any", Turn)
    with broken((Change(Turn, "step", same),), Noted(file)):
        assert hunting.ran(file) == frozenset()
        for _ in range(3):
            with pytest.raises(AttributeError):
                nobody.step(nobody, 0)
    assert file.read_text(encoding="utf-8") == "Turn.step\n"
    assert hunting.ran(file) == {"Turn.step"}


def test_a_bug_is_caught_by_whom_it_names_alone() -> None:
    """Another's complaint, an unknown run, and a change that never ran are no catch."""
    bug = made(Change(Turn, "_commit", same))
    ran = frozenset({"Turn._commit"})
    caught = Catch(bug, record(Verdict.INVALID, check="liveness"), 60.0, ran)
    assert (caught.problem, caught.catchers) == ("", ("liveness",))
    assert Catch(bug, caught.record, 60.0).problem == "what it puts in place of Turn._commit never ran"
    other = Catch(bug, record(Verdict.INVALID, check="no fork"), 60.0, ran)
    assert other.problem == "invalid: liveness did not complain, but no fork"
    assert Catch(bug, record(Verdict.VALID), 60.0, ran).problem == "valid: liveness did not complain, but nothing"
    unknown = Catch(bug, record(Verdict.UNKNOWN, reasons=["no fault was struck"]), 60.0, ran)
    assert unknown.problem == "unknown: liveness did not complain, but no fault was struck"
    assert Catch(bug, None, 1.0, ran, "there is no such thing").problem == "there is no such thing"


def test_a_bound_catches_where_the_machine_had_time() -> None:
    """Where it had none, how long something took shows nothing."""
    assert catchers(record(Verdict.INVALID, reasons=["gap: 41.0 s, more than 27 s"])) == ("gap",)
    starved = "the machine had no time to show it: gap: 41.0 s, more than 27 s"
    assert catchers(record(Verdict.UNKNOWN, reasons=[starved])) == ()
    assert catchers(record(Verdict.INVALID, check="liveness", reasons=["liveness: …", starved])) == ("liveness",)


def test_a_play_of_the_sound_product_is_valid_or_told() -> None:
    """Whatever else it is."""
    assert unsound(record(Verdict.VALID)) == ""
    why = unsound(record(Verdict.UNKNOWN, reasons=["it ended early"]))
    assert why == "S03 is unknown with the product as it is: it ended early"


@pytest.mark.parametrize(("generations", "wrong"), [((0, 0), 0), ((0, 2), 1), ((1, 2), 2)])
def test_a_store_that_was_behind_is_told_unless_it_was_restored(generations: tuple[int, ...], wrong: int) -> None:
    """Each shard is looked at."""
    shards = {str(at): SimpleNamespace(shard=f"orders/{at}", generation=each) for at, each in enumerate(generations)}
    evidence: Any = SimpleNamespace(shards=shards)
    history = History(lambda: 0)
    found = list(the_store_was_never_behind(history, evidence))
    assert (len(found), sum(each is not None for each in found)) == (len(generations), wrong)
    history.append(Restored(0, 0))
    assert list(the_store_was_never_behind(history, evidence)) == [None] * len(generations)


@pytest.fixture
def led(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], str]]:
    """What was played, by which module; every play is valid, and all of each bug has run."""
    asked: list[tuple[list[str], str]] = []

    def lead(names: Sequence[str], seed: int, out: Path, module: str = "") -> Iterator[Record]:
        asked.append((list(names), module))
        for name in names:
            logs = out / RECORD.id / LOGS
            logs.mkdir(parents=True, exist_ok=True)
            targets = BUGS[name].targets if name in BUGS else ()
            (logs / RAN).write_text("\n".join(targets), encoding="utf-8")
            yield record(Verdict.VALID)

    monkeypatch.setattr(hunting, "lead", lead)
    return asked


def test_the_command_fails_when_a_bug_gets_away(led: list[tuple[list[str], str]], tmp_path: Path) -> None:
    """Exit status 1, and why; the others are played all the same."""
    names = ["keeps_its_client", "has_no_watchdog"]
    done = RUN.invoke(cli.app, ["chaos", "zoo", *names, "--out", str(tmp_path), "--json"])
    assert done.exit_code == 1
    assert led == [([name], INSIDE) for name in names]
    assert "✗ keeps_its_client: valid: liveness did not complain, but nothing" in done.stderr
    assert [json.loads(line)["bug"] for line in done.stdout.splitlines()] == names


def test_the_command_is_content_when_each_is_caught(
    led: list[tuple[list[str], str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Exit status 0, and bug by catcher."""
    invalid = record(Verdict.INVALID, check="liveness")

    def of_any(*_: object, **__: object) -> Record:
        return invalid

    monkeypatch.setattr(sys.modules[__name__], "record", of_any)
    done = RUN.invoke(cli.app, ["chaos", "zoo", "keeps_its_client", "--out", str(tmp_path)])
    assert (done.exit_code, len(led)) == (0, 1)
    assert re.search(r"^keeps_its_client +R13 +Z05 +liveness ", done.stdout, re.MULTILINE)


def test_the_command_plays_each_scenario_once_with_the_product_as_it_is(
    led: list[tuple[list[str], str]], tmp_path: Path
) -> None:
    """By the ordinary way, and all of them on one cluster."""
    done = RUN.invoke(cli.app, ["chaos", "zoo", "--sound", "--out", str(tmp_path)])
    assert done.exit_code == 0
    ((names, module),) = led
    assert module == ""
    assert sorted(names) == sorted(str(path) for path, _ in plays().values())


def test_a_bug_whose_target_is_gone_is_not_played(led: list[tuple[list[str], str]], tmp_path: Path) -> None:
    """The product was changed, and the bug must follow it."""
    gone = made(Change(Turn, "_comit", same))
    with pytest.raises(TargetGone):
        gone.require_targets()
    assert hunting.hunt(gone, 1, tmp_path).problem.startswith("there is no Turn._comit to break")
    assert led == []


def test_a_cluster_that_cannot_be_made_is_no_catch(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is told in place of the catcher."""

    def lead(*_: object) -> Iterator[Record]:
        raise NoCluster("no room")

    monkeypatch.setattr(hunting, "lead", lead)
    assert "no cluster for chaos: no room" in hunting.hunt(BUGS["keeps_its_client"], 1, tmp_path).problem


def test_the_command_knows_its_bugs() -> None:
    """A name that is none is an error of whoever typed it."""
    done = RUN.invoke(cli.app, ["chaos", "zoo", "unheard_of"])
    assert isinstance(done.exception, BadInput)
    assert "no such bug: unheard_of; there are " in str(done.exception)
