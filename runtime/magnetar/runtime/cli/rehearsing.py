"""What released versions have left, tried on an app's own code: what `magnetar schema check` finds after the gate."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from magnetar.runtime.rehearsal import Left, rehearse
from magnetar.schemas import gate
from magnetar.schemas.gate.releasing import golden
from magnetar.schemas.gate.wording import NEW_READERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from magnetar.runtime.app import App
    from magnetar.runtime.rehearsal import Stuck


def stuck_findings(
    app: App, registry: gate.Registry, working: gate.Working, settings: gate.Settings
) -> list[gate.Finding]:
    """What the app cannot go on with, of every released version: nothing where nothing was released."""
    if not registry.releases:
        return []
    found = rehearse(app, _samples(registry, working))
    return [each for each in _together(found) if not settings.allows(each.rule, each.contract, each.path)]


def _samples(registry: gate.Registry, working: gate.Working) -> dict[str, list[Left]]:
    """Those of each version, then what this code writes itself."""
    left: defaultdict[str, list[Left]] = defaultdict(list)
    for name, versions in registry.versions.items():
        for version in versions:
            number = str(version.number)
            left[name] += [Left(name, number, version.text, bytes.fromhex(each.bytes)) for each in version.golden]
    for name, contract in working.contracts.items():
        left[name] += [Left(name, "", contract.text, bytes.fromhex(each.bytes)) for each in golden(contract)]
    return left


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
