"""A table of changes, each a folder: what was released, what comes after, and what the gate has to say to it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import msgspec
import pytest

from magnetar.schemas import gate
from magnetar.schemas.gate.independent import refusal

CHANGES = Path(__file__).parent / "changes"
NAMES = sorted(path.name for path in CHANGES.iterdir())
ELSEWHERE = {"avro", "codec", "drift", "golden", "not-handled", "released-file"}
"""Rules that no change of one schema into another shows; see the other tests of the gate."""


class Verdict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `verdict.toml` says: each finding as ``rule at path``, what `avro.compatibility` alone says, the harm.

    `sent` is what the release before sends to `where`, `sends` what comes after does; `had` and `has` are their actors.
    """

    verdict: str
    avro: str
    findings: list[str] = []
    harm: str = ""
    kind: str = "command"
    contract: str = "shop.Place"
    where: str = "orders"
    sent: list[str] = []
    sends: list[str] = []
    generation: int = 0
    had: dict[str, gate.Role] = {}
    has: dict[str, gate.Role] = {}


@dataclass(frozen=True)
class Change:
    """One folder of the table."""

    folder: Path
    verdict: Verdict
    before: list[str]
    after: str | None

    @classmethod
    def read(cls, name: str) -> Change:
        """Read a folder."""
        folder = CHANGES / name
        verdict = msgspec.toml.decode((folder / "verdict.toml").read_text(encoding="utf-8"), type=Verdict)
        before = [path.read_text(encoding="utf-8") for path in sorted(folder.glob("before*.avsc"))]
        after = folder / "after.avsc"
        return cls(folder, verdict, before, after.read_text(encoding="utf-8") if after.exists() else None)

    def before_it(self, text: str) -> gate.Working:
        """A release of before."""
        return self._working(text, self.verdict.sent, 0, self.verdict.had)

    def after_it(self) -> gate.Working:
        """What comes after."""
        return self._working(self.after, self.verdict.sends, self.verdict.generation, self.verdict.has)

    def _working(
        self, text: str | None, sends: list[str], generation: int, actors: dict[str, gate.Role]
    ) -> gate.Working:
        name, kind = self.verdict.contract, self.verdict.kind
        contracts = {} if text is None else {name: gate.Contract(name, kind, text)}
        return gate.Working(contracts, {self.verdict.where: tuple(sends)} if sends else {}, generation, actors)

    def findings(self, directory: Path) -> list[gate.Finding]:
        """Release all that was before, then check what comes after."""
        settings = self.folder / "gate.toml"
        for text in self.before:
            planned = gate.plan(gate.load(directory), self.before_it(text), "2026-01-01T00:00:00Z", "a change")
            assert planned is not None
            gate.publish(planned, directory)
        if settings.exists():
            (directory / "gate.toml").write_bytes(settings.read_bytes())
        return gate.check(gate.load(directory), self.after_it(), gate.load_settings(directory))

    def passes_avro(self) -> bool:
        """Whether `avro.compatibility` alone lets it pass: over all versions, in the directions that are asked for."""
        mode = gate.load_settings(self.folder).mode_of(self.verdict.contract, self.verdict.kind)
        if self.after is None:
            return True
        ways = [(self.after, old) for old in self.before if mode.new_readers]
        ways += [(old, self.after) for old in self.before if mode.old_readers]
        return all(refusal(reader, writer) is None for reader, writer in ways)


@pytest.mark.parametrize("name", NAMES)
def test_a_change_gets_its_verdict(name: str, tmp_path: Path) -> None:
    """Every finding that it deserves and no other, each in at most four lines: file, path, reason, mend."""
    change = Change.read(name)
    found = change.findings(tmp_path)
    assert sorted(f"{each.rule} at {each.path}" for each in found) == sorted(change.verdict.findings)
    assert (change.verdict.verdict == "refused") == bool(found)
    for each in found:
        assert len(each.lines()) <= 4
        assert all(len(line) <= 200 and line.strip() for line in each.lines())


@pytest.mark.parametrize("name", NAMES)
def test_what_avro_alone_says_of_a_change(name: str) -> None:
    """As the table says it: so that it is known what the own rules are for."""
    change = Change.read(name)
    assert ("passes" if change.passes_avro() else "refuses") == change.verdict.avro


def test_the_table_is_wide_enough() -> None:
    """Sixty changes; twenty-five that Avro's checker lets pass and that do harm; every rule met."""
    verdicts = [Change.read(name).verdict for name in NAMES]
    harmful = [each for each in verdicts if each.avro == "passes" and each.verdict == "refused"]
    assert len(verdicts) >= 60
    assert len(harmful) >= 25
    assert all(each.harm for each in harmful)
    met = {finding.partition(" at ")[0] for each in verdicts for finding in each.findings}
    assert met | ELSEWHERE == set(gate.RULES)


def test_no_two_changes_are_the_same() -> None:
    """Or the table would be smaller than it looks."""
    changes = [(*map(json.loads, each.before), json.loads(each.after or "null")) for each in map(Change.read, NAMES)]
    settled = [(CHANGES / name / "gate.toml").exists() for name in NAMES]
    verdicts = [Change.read(name).verdict for name in NAMES]
    same = [
        (NAMES[one], NAMES[two])
        for one, two in product(range(len(NAMES)), repeat=2)
        if one < two
        and changes[one] == changes[two]
        and settled[one] == settled[two]
        and verdicts[one] == verdicts[two]
    ]
    assert same == []


def test_every_mode_has_its_directions() -> None:
    """Full is both."""
    assert [(mode.old_readers, mode.new_readers) for mode in gate.Mode] == [
        (True, True),
        (False, True),
        (True, False),
        (False, False),
    ]
