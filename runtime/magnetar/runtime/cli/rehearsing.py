"""What released versions have left, tried on an app's own code: what `magnetar schema check` finds after the gate."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING

from magnetar.runtime.rehearsal import Left, rehearse
from magnetar.schemas import gate
from magnetar.schemas.gate import raw
from magnetar.schemas.gate.collecting import uncollected
from magnetar.schemas.gate.likeness import alike
from magnetar.schemas.gate.releasing import golden
from magnetar.schemas.gate.wording import NEW_READERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from magnetar.runtime.app import App
    from magnetar.runtime.rehearsal import Stuck


@uncollected()
def stuck_findings(
    app: App, registry: gate.Registry, working: gate.Working, settings: gate.Settings
) -> list[gate.Finding]:
    """What the app cannot go on with, of every released version: nothing where nothing was released."""
    if not registry.releases:
        return []
    found = rehearse(app, samples_left(registry, working))
    return [each for each in _together(found) if not settings.allows(each.rule, each.contract, each.path)]


def samples_left(registry: gate.Registry, working: gate.Working) -> dict[str, list[Left]]:
    """Those of each version by contract, the oldest first, then what this code writes itself.

    The oldest and the newest version are handed in as they are, and so is each that differs from the contract of today
    in anything that a codec has to choose, to convert, or to do without. Samples of all others, which are `alike`
    (fields to skip, fields to fill in by their defaults, and nothing else), are restated under the schema of today:
    handlers get the same value, and equal values of several versions become equal bytes, of which one trial will do.
    """
    left: defaultdict[str, list[Left]] = defaultdict(list)
    for name, versions in registry.versions.items():
        ends, contract = (versions[0], versions[-1]), working.contracts.get(name)
        for version in versions:
            inner = contract is not None and version not in ends and alike(version.text, contract.text)
            left[name] += _left(version, contract.text if contract is not None and inner else version.text)
    for name, contract in working.contracts.items():
        left[name] += [Left(name, "", contract.text, bytes.fromhex(each.bytes)) for each in golden(contract)]
    return left


def _left(version: gate.Version, text: str) -> list[Left]:
    """Its samples under a schema; those that the gate was told to let pass unread stay what they are."""
    found: list[Left] = []
    for data in (bytes.fromhex(each.bytes) for each in version.golden):
        left = Left(version.contract, str(version.number), version.text, data)
        with suppress(raw.Unreadable):
            left = left._replace(text=text, body=raw.restated(data, version.text, text))
        found.append(left)
    return found


def _together(found: Iterable[Stuck]) -> Iterator[gate.Finding]:
    """One finding for all versions and samples that get stuck in the same way; the newest version stands in front."""
    versions: defaultdict[tuple[str, str, str], dict[str, None]] = defaultdict(dict)
    for each in found:
        versions[each.about.contract, each.path, each.reason][each.about.version or gate.WORKING] = None
    for (name, path, reason), found_in in versions.items():
        *others, newest = found_in
        pair = (newest, gate.WORKING) if newest != gate.WORKING else (gate.WORKING,)
        file = f"{name}.avsc"
        yield gate.Finding("not-handled", name, file, path, _short(reason), pair, NEW_READERS, tuple(others))


def _short(reason: str, most: int = 160) -> str:
    text = " ".join(reason.split())
    return text if len(text) <= most else f"{text[: most - 1]}…"
