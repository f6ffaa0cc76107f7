"""The crash matrix covers every fault point, is green, can be red, and calls no cell green in which nothing happened.

`make crash-matrix` plays all of it; here are one cell of seven with one fault, and one pair of a hundred.
"""

from __future__ import annotations

import inspect
import os
from typing import TYPE_CHECKING

import pytest

from magnetar.chaos.matrix import Cell, Strike, actions, play, telling
from magnetar.chaos.matrix.actions import ACTIONS
from magnetar.chaos.matrix.cells import firsts, never_reached, seconds, why_not
from magnetar.chaos.matrix.raising import UNKNOWABLE, error_at
from magnetar.chaos.matrix.steps import LAST, RELAY, STEPS
from magnetar.chaos.matrix.tally import AFTER, GREEN, OUT, RED, Tally, rerun
from magnetar.chaos.matrix.whole import explore, one_fault, two_faults
from magnetar.chaos.simulation.campaign import trace
from magnetar.chaos.zoo import broken
from magnetar.chaos.zoo.bugs import acknowledges_before_the_commit, takes_an_unknown_commit_for_lost
from magnetar.runtime.identity import named
from magnetar.runtime.store.sqlite.store import SqliteStore
from magnetar.runtime.worker.points import PHASES, all_points

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from magnetar.chaos.matrix import Played

pytestmark = pytest.mark.timeout(300)

CELLS, SHARE = 0.15, 0.01
"""Of the cells with one fault, and of the pairs."""


def types_of(played: Played) -> list[str]:
    """The types of what was applied, in the order of their handling, but for the last message."""
    rows = [row for timeline in played.outcome.evidence.timelines.values() for row in timeline]
    return [row.type.rpartition(".")[2] for row in sorted(rows, key=lambda row: row.now) if row.message_id != LAST_ID]


LAST_ID = named(LAST)[0]

SHOWS: dict[str, Callable[[Played], bool]] = {
    "start": lambda played: "store.prepare:after" in played.passes,
    "first-message": lambda played: types_of(played) == ["Ask"] and "store.states:after" in played.passes,
    "message": lambda played: types_of(played) == ["Ask", "Ask"] and "store.states:after" not in played.passes,
    "foreign-message": lambda played: "bus.schema:after" in played.passes,
    "timer-fired": lambda played: any(commit.fired and commit.armed for commit in played.outcome.history.commits),
    "timer-cancelled": lambda played: "Pay" in types_of(played) and not {"Overdue", "Remind"} & set(types_of(played)),
    "relay": lambda played: {"Place", "Reserve", "Reserved"} <= set(types_of(played)),
    "passivation": lambda played: "an entity left memory and came back" in played.outcome.history.met,
    "takeover": lambda played: "a timer fired after a takeover" in played.outcome.history.met,
    "drain": lambda played: "store.release:after" in played.passes and len(played.outcome.history.epochs) > 1,
    "drain-while-opening": lambda played: "opening.abandon:after" in played.passes,
    "reading-back": lambda played: (
        {"an unknown commit had happened", "an unknown commit had not happened"} <= played.outcome.history.met.keys()
    ),
    "renewal": lambda played: "bus.renew:after" in played.passes,
    "park": lambda played: "a key was parked" in played.outcome.history.met,
    "tail": lambda played: "a timer waited behind a failure" in played.outcome.history.met,
    "retry": lambda played: (
        played.outcome.history.met["a failed head was tried again by its bell"] == 2
        and types_of(played).count("Note") == 3
        and "Ring" in types_of(played)
    ),
    "dead-letter": lambda played: "a dead letter held its key" in played.outcome.history.met,
    "dead-letter-skipped": lambda played: (
        "a dead letter was skipped" in played.outcome.history.met and types_of(played).count("Note") == 2
    ),
    "effect": lambda played: types_of(played)[0] == "Settle" and "store.commit:after" in played.passes,
    "effect-attempt": lambda played: (
        "store.commit:after" in played.passes and types_of(played)[:2] == ["Settle", "Charged"]
    ),
    "effect-outcome": lambda played: "an effect was done" in played.outcome.history.met and "Said" in types_of(played),
    "effect-again": lambda played: (
        played.outcome.history.met["an effect was asked again"] == 2 and "Charged" in types_of(played)
    ),
    "effect-takeover": lambda played: (
        "an effect was asked again after a takeover" in played.outcome.history.met
        and "store.effects:after" in played.passes
        and types_of(played).count("Charged") == 2
    ),
    "effect-fatal": lambda played: (
        {"an effect ended its worker", "an effect was asked again", "a shard was careful"}
        <= played.outcome.history.met.keys()
        and "Charged" in types_of(played)
    ),
    "careful": lambda played: (
        {"a message killed its worker", "a message that was in hand killed its worker"}
        <= played.outcome.history.met.keys()
        and "a dead letter held its key" in played.outcome.history.met
    ),
    "request": lambda played: "a person skipped a head" in played.outcome.history.met and "Note" in types_of(played),
    "replay": lambda played: (
        {"a replayed letter failed again", "a replayed letter was applied"} <= played.outcome.history.met.keys()
    ),
    "going-back": lambda played: "a worker noticed that the store went back" in played.outcome.history.met,
}
"""How one sees that a step was what its name says."""


@pytest.fixture(scope="module")
def matrix() -> Tally:
    """Some of the cells with one fault, and some of the pairs."""
    return explore(SHARE, jobs=min(2, os.cpu_count() or 1), cells=CELLS)


def test_no_cell_is_red(matrix: Tally) -> None:
    """Whatever strikes wherever: it took effect, a message was applied after it, and every promise was kept."""
    print(matrix.table())  # noqa: T201 - shown when it fails, and with -s
    assert matrix.reds == []
    assert matrix.total(GREEN, pairs=False) > 500
    assert matrix.total(GREEN, pairs=True) > 100


def test_every_fault_point_is_reached_by_a_step(matrix: Tally) -> None:
    """A new method of a port, or a new phase, is covered by itself or is named here."""
    assert never_reached(matrix.reached) == []
    assert never_reached(matrix.reached - {"store.take:after", "phase:unknown"}) == [
        "phase:unknown",
        "store.take:after",
    ]


def test_every_fault_is_tried_in_every_step(matrix: Tally) -> None:
    """And after every fault, in a message's way, every fault."""
    for step in STEPS:
        assert [action for action in ACTIONS if not matrix.counts[step, action, GREEN]] == []
    for first in ACTIONS:
        assert any(matrix.counts[AFTER + first, second, GREEN] for second in ACTIONS)


def test_where_a_fault_cannot_be_is_counted_and_has_a_reason(matrix: Tally) -> None:
    """Nothing is skipped in silence: each point that a step passes is struck by each action, or refuses it."""
    whole = one_fault("message")
    for step in STEPS:
        passes = play(Cell(step, ())).passes
        for action in ACTIONS:
            refused = [point for point in passes if why_not(Cell(step, (Strike(action, point, 1),)))]
            struck = sum(len({1, len(passes[point])}) for point in passes if point not in refused)
            assert matrix.counts[step, action, OUT] == len(refused)
            assert 1 <= matrix.counts[step, action, GREEN] <= struck
            assert step != "message" or whole.counts[step, action, GREEN] == struck


@pytest.mark.parametrize("step", STEPS)
def test_a_step_is_what_its_name_says(step: str) -> None:
    """Without faults it keeps every promise, and what it is there for happens while faults may strike."""
    played = play(Cell(step, ()))
    assert played.problems == []
    assert SHOWS[step](played)


@pytest.mark.parametrize("point", all_points())
def test_a_point_says_what_its_port_may_raise(point: str) -> None:
    """Each point but the phases' belongs to a port whose errors are known, also one that is new."""
    if point.removeprefix("phase:") not in PHASES:
        assert point in str(error_at(point))


def test_the_outcome_of_every_write_can_be_unknown() -> None:
    """What SQLite does in a transaction of its own may end without an answer."""
    methods = {name: inspect.getsource(method) for name, method in inspect.getmembers(SqliteStore, inspect.isfunction)}
    writes = {name for name, text in methods.items() if ".transaction(" in text or "commit_group(" in text}
    assert {f"store.{name}" for name in writes} == UNKNOWABLE


@pytest.mark.parametrize(
    "cell",
    [
        "relay,kill@store.commit:after#1",
        "drain,freeze@consumer.close:before#1",
        "takeover,exception@producer.send:after#1,kill@opening.poll:before#1",
        "reading-back,late@store.commit:before#2",
    ],
)
def test_a_cell_is_the_same_run_again(cell: str) -> None:
    """To the last byte; so the command that a red one names shows it again."""
    once, twice = play(Cell.parse(cell)), play(Cell.parse(cell))
    assert trace(once.outcome) == trace(twice.outcome)
    assert (once.effects, once.passes) == (twice.effects, twice.passes)


def test_a_cell_is_written_as_one_word() -> None:
    """And read from it; what is none says what it should be."""
    cell = Cell("relay", (Strike("kill", "phase:taken", 2), Strike("lost", "store.take:before", 1)))
    assert str(cell) == "relay,kill@phase:taken#2,lost@store.take:before#1"
    assert Cell.parse(str(cell)) == cell
    for wrong in ("waltz", "relay,dance@phase:taken#1", "relay,kill", "relay,kill@phase:taken#x"):
        with pytest.raises(ValueError, match=r"."):
            Cell.parse(wrong)


def test_a_fault_that_never_struck_is_red() -> None:
    """A pass that there is not: the run was good, and shows nothing."""
    played = play(Cell.parse("message,kill@phase:taken#99"))
    assert played.problems == ["unknown: of the faults ['kill'], none took effect"]
    assert not played.green


def test_a_freeze_is_red_when_nobody_took_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """It struck, but not as it should: whoever wakes up still owns everything."""
    monkeypatch.setattr(actions, "TAKEOVER", 0.0)
    assert play(Cell.parse("message,freeze@phase:taken#1")).problems == [
        "unknown: of the faults ['freeze'], none took effect"
    ]


def test_pairs_strike_in_the_recovery_from_the_first_fault() -> None:
    """The second fault is at points that are passed after the first; after a freeze also when it is over."""
    first = play(next(cell for cell in firsts() if str(cell).startswith("relay,freeze@phase:handled")))
    pairs = list(seconds(first, 1.0, ALWAYS))
    assert {cell.strikes[1].point for cell in pairs if cell.strikes[1].action == "kill"} == first.passes.keys()
    assert {cell.strikes[1].nth for cell in pairs if cell.strikes[1].point == "phase:taken"} - {1}
    assert {cell.step for cell in pairs} == {RELAY.name}


class Always:
    """Takes everything."""

    def random(self) -> float:
        """Below every share."""
        return 0.0


ALWAYS: random.Random = Always()  # type: ignore[assignment] # pyright: ignore[reportAssignmentType]


def test_an_engine_that_acknowledges_too_early_is_red() -> None:
    """R10: killed before the commit, it has lost a message."""
    with broken(acknowledges_before_the_commit.BUG.changes):
        reds = {str(red.cell): red.story for red in one_fault("message", ["kill"]).reds}
    story = reds["message,kill@store.commit:before#1"]
    assert "✗ an acknowledgement follows its commit" in story
    assert "it is killed" in story
    assert rerun(Cell.parse("message,kill@store.commit:before#1")) in story


def test_an_engine_that_guesses_is_red() -> None:
    """R8: a commit whose answer was lost, in one step and as the second fault of a pair."""
    with broken(takes_an_unknown_commit_for_lost.BUG.changes):
        assert {red.cell.strikes for red in one_fault("reading-back", []).reds} == {()}, "it is red without any fault"
        assert one_fault("message", ["happened"]).reds
        first = Cell.parse("relay,exception@store.commit:before#1")
        assert {red.cell.strikes[1].action for red in two_faults(first).reds} >= {"happened"}


# the command


def small(reached: set[str]) -> Tally:
    """A tally of two cells, green and red, in which these points were reached."""
    tally = Tally(reached=reached)
    tally.leave_out("message", "exception", 3)
    tally.add(play(Cell.parse("message,kill@phase:taken#1")))
    return tally


def giving(tally: Tally) -> Callable[..., Tally]:
    """In place of `explore`."""

    def explored(*_: object) -> Tally:
        return tally

    return explored


@pytest.mark.parametrize(("missing", "status"), [((), 0), (("store.now:after",), 1)])
def test_the_command_prints_the_table(
    missing: tuple[str, ...], status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A point that no step reaches is named, and fails it."""
    tally = small(set(all_points()) - {*missing})
    monkeypatch.setattr(telling, "explore", giving(tally))
    assert telling.main([]) == status
    told = capsys.readouterr().out
    assert "message                                    -         1/0/0             -         0/0/3" in told
    assert "1 cells green, 0 red; 0 pairs green, 0 red; 3 do not apply; " in told
    assert ("NO STEP REACHES store.now:after" in told) == bool(missing)


def test_a_red_cell_fails_the_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """With its story, and the command that tells it again."""
    tally = small(set(all_points()))
    tally.add(play(Cell.parse("relay,kill@phase:taken#99,kill@phase:taken#1")))
    monkeypatch.setattr(telling, "explore", giving(tally))
    assert telling.main(["--part"]) == 1
    told = capsys.readouterr().out
    assert "then, after kill                           -         0/1/0" in told
    assert "python -m magnetar.chaos.matrix --cell 'relay,kill@phase:taken#99,kill@phase:taken#1'" in told


def test_one_cell_tells_its_story(capsys: pytest.CaptureFixture[str]) -> None:
    """All that it did, and what became of it; one that does not apply says why."""
    assert telling.main(["--cell", "relay,kill@store.commit:after#1"]) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"{GREEN}: relay,kill@store.commit:after#1; ")
    assert "w1, at store.commit:after: it is killed" in told
    assert "w2 starts" in told
    assert telling.main(["--cell", "relay,kill@phase:taken#99"]) == 1
    assert capsys.readouterr().out.startswith(f"{RED}: ")
    assert telling.main(["--cell", "message,exception@phase:taken#1"]) == 1
    assert "does not apply: exception@phase:taken#1: between two phases nothing is called" in capsys.readouterr().out


def test_what_there_is_is_told_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    """Every kind of step and every action has a line."""
    assert telling.main(["--list"]) == 0
    told = capsys.readouterr().out
    assert [name for name in (*STEPS, *ACTIONS) if f"  {name} " not in told] == []
