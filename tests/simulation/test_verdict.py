"""A verdict: invalid when anything is wrong, unknown when too little was shown, and what it keeps of what it saw."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.chaos.history import Struck, Violation
from magnetar.chaos.simulation.warehouse import Ask, Order, warehouse
from magnetar.chaos.verdict import APPLIED, EFFECTIVE, ITSELF, WITNESSES, Checker, Finding, Verdict, judge
from tests.simulation.remains import NOW, Remains

if TYPE_CHECKING:
    from magnetar.chaos.verdict import Judgement

WRONG = Violation("a promise", "somebody", "something else")


def saying(*said: Violation | None) -> Checker:
    """A checker that says this, whatever it sees."""
    return Checker("a made up one", ("R1",), lambda _history, _evidence: iter(said))


def enough(*, applied: int = APPLIED, effective: int = EFFECTIVE) -> Remains:
    """A run in which so many messages were applied and so many faults took effect."""
    run = Remains(warehouse(1))
    for number in range(applied):
        run.applies("orders", run.stores("orders", Ask(order_id="o-1"), number + 1), Order())
    run.history.append(Struck(NOW, "crash", effective))
    return run


def verdict_on(run: Remains, *checkers: Checker) -> Judgement:
    """What these checkers make of it."""
    return judge(run.history, run.evidence(), checkers)


def test_a_run_that_showed_enough_is_valid() -> None:
    """Nothing is wrong and nothing is in doubt."""
    judgement = verdict_on(enough(), saying(None))
    assert (judgement.verdict, judgement.doubts, judgement.catchers) == (Verdict.VALID, (), [])


def test_few_messages_leave_a_doubt() -> None:
    """One less than is wanted."""
    judgement = verdict_on(enough(applied=APPLIED - 1), saying(None))
    assert judgement.verdict is Verdict.UNKNOWN
    assert judgement.doubts == (f"{APPLIED - 1} messages were applied, fewer than {APPLIED}",)


def test_few_faults_leave_a_doubt() -> None:
    """One less than is wanted."""
    judgement = verdict_on(enough(effective=EFFECTIVE - 1), saying(None))
    assert judgement.verdict is Verdict.UNKNOWN
    assert judgement.doubts == (f"{EFFECTIVE - 1} faults took effect, fewer than {EFFECTIVE}",)


def test_a_checker_that_saw_nothing_leaves_a_doubt() -> None:
    """It is named."""
    judgement = verdict_on(enough(), saying(None), saying())
    assert judgement.verdict is Verdict.UNKNOWN
    assert judgement.doubts == ("a made up one: there was nothing to look at",)


def test_a_phase_without_a_commit_leaves_a_doubt() -> None:
    """Each phase counts for itself; what was committed before the first one counts for none."""
    run = enough()
    run.commits("orders/0", 0)
    run.history.enter("faults")
    run.history.enter("healed")
    run.commits("orders/0", 1)
    judgement = verdict_on(run, saying(None))
    assert judgement.verdict is Verdict.UNKNOWN
    assert judgement.doubts == ("nothing was committed in the phase 'faults'",)


def test_a_phase_that_comes_again_is_one_phase() -> None:
    """A commit in either stretch is enough."""
    run = enough()
    for phase in ("faults", "healed", "faults"):
        run.history.enter(phase)
        run.commits("orders/0", 0)
    run.history.enter("faults")
    assert verdict_on(run, saying(None)).verdict is Verdict.VALID


def test_what_is_wrong_beats_what_is_in_doubt() -> None:
    """A violation is a violation, however little was shown."""
    judgement = verdict_on(Remains(warehouse(1)), saying(WRONG))
    assert judgement.verdict is Verdict.INVALID
    assert judgement.doubts != ()


def test_what_was_noticed_meanwhile_is_a_violation() -> None:
    """Whoever noticed it is no checker, and is named first."""
    run = enough()
    run.history.blame(*WRONG)
    judgement = verdict_on(run, saying(WRONG))
    assert judgement.verdict is Verdict.INVALID
    assert judgement.catchers == [ITSELF, "a made up one"]
    assert judgement.violations == [WRONG, WRONG]


def test_witnesses_are_bounded_and_counted() -> None:
    """A report shows a few; how many there were is said."""
    run = enough()
    finding = Finding.of(saying(*[WRONG] * (WITNESSES + 1), None), run.history, run.evidence())
    assert (finding.examined, finding.wrong, len(finding.witnesses)) == (WITNESSES + 2, WITNESSES + 1, WITNESSES)
