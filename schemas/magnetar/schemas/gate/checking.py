"""The gate: the working version against every released one, by every rule."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from magnetar.schemas.errors import SchemaInvalid
from magnetar.schemas.gate.collecting import uncollected
from magnetar.schemas.gate.comparing import Difference, compare
from magnetar.schemas.gate.finding import WORKING, Finding
from magnetar.schemas.gate.golden import Broken, Now, broken_among
from magnetar.schemas.gate.independent import MOST_PARSED, refusal, unread, without
from magnetar.schemas.gate.lifting import broken_on_the_way, lifted_differences, refused_by_the_broker
from magnetar.schemas.gate.likeness import alike
from magnetar.schemas.gate.linting import flaws
from magnetar.schemas.gate.ordering import outgrown, too_early
from magnetar.schemas.gate.orphans import orphans
from magnetar.schemas.gate.upcasts import is_lifted
from magnetar.schemas.gate.wording import NEW_READERS, OLD_READERS
from magnetar.schemas.malformed import Malformed
from magnetar.schemas.resolution import resolve
from magnetar.schemas.schema import Schema
from magnetar.schemas.shapes import Leaf, Node, Union, children

if TYPE_CHECKING:
    from magnetar.schemas.gate.registry import Registry, Version
    from magnetar.schemas.gate.settings import Settings
    from magnetar.schemas.gate.working import Contract, Working


@uncollected()
def check(registry: Registry, working: Working, settings: Settings) -> list[Finding]:
    """Return every reason to refuse the working version, given what was released and what was settled."""
    return Check(registry, working, settings).findings()


@dataclass(frozen=True, slots=True)
class Check:
    """One run of the gate."""

    registry: Registry
    working: Working
    settings: Settings

    def findings(self) -> list[Finding]:
        """Every finding that is not allowed, contract by contract."""
        found = [*self.registry.problems, *self._gone()]
        for contract in sorted(self.working.contracts.values(), key=lambda each: each.kind == "topic"):
            found += self._contract(contract, alone=contract.kind != "topic" or not found)
        found += too_early(self.registry, self.working)
        found += outgrown(self.registry, self.working)
        found += orphans(self.registry, self.working, self.settings)
        return [each for each in found if not self.settings.allows(each.rule, each.contract, each.path)]

    def _gone(self) -> Iterator[Finding]:
        for name, versions in self.registry.versions.items():
            if name not in self.working.contracts and not self.settings.is_retired(name):
                last = (str(versions[-1].number), WORKING)
                yield Finding("contract-removed", name, f"{name}.avsc", "$", "it is gone", last, NEW_READERS)

    def _contract(self, contract: Contract, *, alone: bool) -> list[Finding]:
        """Topics come last: where bodies have findings, what others say of a topic is the same once more."""
        try:
            schema = Schema.parse(contract.text)
        except SchemaInvalid as error:
            rule = "default-invalid" if error.reason.startswith("the default") else "schema-invalid"
            return [_finding(contract, rule, error.path, error.reason, (WORKING,), "everybody: no value can be read")]
        versions = self.registry.versions.get(contract.name, [])
        found = list(self._flaws(contract, schema, versions))
        found += Comparing(self, contract, schema, versions).findings(alone=alone)
        return found

    def _flaws(self, contract: Contract, schema: Schema, versions: list[Version]) -> Iterator[Finding]:
        """What is released cannot be mended, and a topic is made of bodies."""
        if contract.kind != "topic" and not (versions and versions[-1].text == contract.text):
            for flaw in flaws(schema.shape):
                yield _finding(contract, flaw.rule, flaw.path, flaw.reason, (WORKING,), flaw.breaks)


class Comparing:
    """One contract against all its released versions."""

    def __init__(self, check: Check, contract: Contract, schema: Schema, versions: list[Version]) -> None:
        """Take the contract as it is now, and its versions, the oldest first."""
        self._contract = contract
        self._schema = schema
        self._versions = versions
        self._mode = check.settings.mode_of(contract.name, contract.kind)
        self._retired = check.settings.is_retired
        self._apart = frozenset(check.working.contracts if contract.kind == "topic" else ())

    def findings(self, *, alone: bool) -> list[Finding]:
        """Every finding, versions with the same one taken together; `alone`: nothing it is made of has one."""
        compared = {each.number: compare(each.schema.shape, self._schema.shape, self._apart) for each in self._versions}
        plain = [each.number for each in self._versions if not is_lifted(each.schema, self._schema)]
        lacking = {path for number in plain for path in compared[number].added}
        found: list[Finding] = []
        for version in reversed(self._versions):
            if is_lifted(version.schema, self._schema):
                found += self._lifted(version, compared[version.number].differences, lacking)
                continue
            differences = [each for each in compared[version.number].differences if self._matters(each, lacking)]
            found += [self._difference(version, each) for each in differences if not self._is_retired(each)]
            if alone and not differences:
                found += self._opinions(version)
        if self._mode.new_readers and not found:
            found += [self._golden(each) for each in broken_among(self._versions)]
        return _together(found)

    def _matters(self, each: Difference, lacking: set[str]) -> bool:
        """A default matters where some version lacks the field: only data of such a version lives by it."""
        return bool(self._breaks(each)) and (each.rule != "default-changed" or each.path in lacking)

    def _lifted(self, version: Version, differences: list[Difference], lacking: set[str]) -> list[Finding]:
        """A version that is read through upcasts; of a topic, its messages are: they are looked at apart."""
        if self._contract.kind == "topic":
            found = [each for each in differences if self._matters(each, lacking) and not self._is_retired(each)]
            return [self._difference(version, each) for each in found]
        of_chain = lifted_differences(version, self._contract, self._schema)
        found = [each for each in of_chain if self._breaks(each)]
        findings = [self._difference(version, each) for each in found]
        if self._mode.new_readers and not any(each.new_readers for each in found):
            findings += [self._golden(each) for each in broken_on_the_way(version, self._contract)]
            if (reason := refused_by_the_broker(version, self._contract)) is not None:
                text, versions = f"the broker of its topic refuses it: {reason}", (str(version.number), WORKING)
                findings.append(_finding(self._contract, "avro", "$", text, versions, NEW_READERS))
        return findings

    def _is_retired(self, each: Difference) -> bool:
        return each.rule == "union-branch-removed" and self._retired(each.path.rpartition("<")[2].rstrip(">"))

    def _difference(self, version: Version, each: Difference) -> Finding:
        versions = (str(version.number), WORKING)
        return _finding(self._contract, each.rule, each.path, each.reason, versions, self._breaks(each))

    def _breaks(self, difference: Difference) -> str:
        old = OLD_READERS if difference.old_readers and self._mode.old_readers else ""
        new = NEW_READERS if difference.new_readers and self._mode.new_readers else ""
        return " and ".join(each for each in (new, old) if each)

    def _opinions(self, version: Version) -> list[Finding]:
        """What others see where our own comparison sees nothing."""
        found: list[Finding] = []
        now, then = self._schema, version.schema
        versions = (str(version.number), WORKING)
        for asked, reader, writer, breaks in (
            (self._mode.new_readers, now, then, NEW_READERS),
            (self._mode.old_readers, then, now, OLD_READERS),
        ):
            for rule, reason in self._refusals(reader, writer) if asked else ():
                found.append(_finding(self._contract, rule, "$", reason, versions, breaks))
        if found or not self._mode.new_readers:
            return found
        return [self._golden(each) for each in self._trial(version).broken()]

    def _refusals(self, reader: Schema, writer: Schema) -> Iterator[tuple[str, str]]:
        """(rule, reason) of each opinion that does not let one read the other.

        What is alike nobody could refuse who reads either: there is only the question whether the avro package does,
        which of the released one was asked when it was the working version.
        """
        if alike(writer.text, reader.text):
            if (reason := unread(self._hollowed(self._schema))) is not None:
                yield "avro", reason
            return
        if (reason := refusal(self._hollowed(reader), self._hollowed(writer))) is not None:
            yield "avro", reason
        if _is_plain(reader) and _is_plain(writer):
            try:
                resolve(writer.shape.root, writer.shape, reader.shape.root, reader.shape)
            except Malformed as error:
                yield "codec", f"{error.reason} (at {error.path})"

    def _hollowed(self, schema: Schema) -> str:
        return without(schema.text, self._apart) if self._apart else schema.text

    def _trial(self, version: Version) -> Now:
        """The oldest and the newest version are read by the codec's own resolution, which takes long to make."""
        ends = (self._versions[0], self._versions[-1]) if self._contract.kind != "topic" else (self._versions[-1],)
        settled = self._contract.text == self._versions[-1].text
        return Now(version, self._contract, back=self._mode.old_readers, resolved=version in ends, settled=settled)

    def _golden(self, broken: Broken) -> Finding:
        versions = (broken.version, broken.later)
        return _finding(self._contract, "golden", broken.path, broken.reason, versions, NEW_READERS)


@lru_cache(maxsize=MOST_PARSED)
def _is_plain(schema: Schema) -> bool:
    """Whether every union is of null and one type, as in whatever a type of ours makes."""
    waiting: list[Node] = [schema.shape.root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Union) and (len(node.branches) != 2 or Leaf("null") not in node.branches):  # noqa: PLR2004
            return False
        waiting += children(node)
    return True


def _finding(contract: Contract, rule: str, path: str, reason: str, versions: tuple[str, ...], breaks: str) -> Finding:
    return Finding(rule, contract.name, f"{contract.name}.avsc", path, reason, versions, breaks)


def _together(found: list[Finding]) -> list[Finding]:
    """One finding for all versions that have the same one; the newest of them stands in front."""
    first: dict[tuple[str, str, str, str], Finding] = {}
    for each in found:
        key = (each.rule, each.path, each.reason, each.breaks)
        if key in first:
            first[key] = replace(first[key], others=(*first[key].others, each.versions[0]))
        else:
            first[key] = each
    return list(first.values())
