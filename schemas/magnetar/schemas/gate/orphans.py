"""What would be left alone: stored, parked, armed or under way, and nobody there any more who reads or handles it.

Judged by what the last release has recorded of itself. What a store really holds is another question: `--against`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from magnetar.schemas.gate.comparing import compare
from magnetar.schemas.gate.finding import WORKING, Finding
from magnetar.schemas.gate.ordering import taken_by, version_in
from magnetar.schemas.gate.registry import TOPICS
from magnetar.schemas.gate.upcasts import is_lifted
from magnetar.schemas.gate.working import APART
from magnetar.schemas.schema import Schema

if TYPE_CHECKING:
    from magnetar.schemas.gate.registry import Registry, Release
    from magnetar.schemas.gate.settings import Settings
    from magnetar.schemas.gate.working import Working


def orphans(registry: Registry, working: Working, settings: Settings) -> Iterator[Finding]:
    """Yield what the release before holds, or still makes, that this version has nobody for."""
    if not registry.releases:
        return
    search = Search(registry, registry.releases[-1], working, settings)
    yield from search.actors()
    yield from search.handlers()
    yield from search.fields()
    yield from search.produced()


class Search:
    """The last release, and what has become of it."""

    def __init__(self, registry: Registry, last: Release, working: Working, settings: Settings) -> None:
        """Take both."""
        self._registry = registry
        self._last = last
        self._working = working
        self._settings = settings

    def actors(self) -> Iterator[Finding]:
        """Actors that are gone: also where each of their types is somebody else's, too."""
        for name, role in self._last.actors.items():
            if name not in self._working.actors and not self._settings.is_actor_retired(name):
                reason = (
                    f"actor {name} is gone, and with it whoever has states, timers and parked messages under its name"
                )
                yield self._finding("actor-removed", role.state, "$", reason)

    def handlers(self) -> Iterator[Finding]:
        """Handlers of timers and outcomes, and effects, that are gone while the type is there: others may have it."""
        for name, role in self._last.actors.items():
            now = self._working.actors.get(name)
            gone = {*role.apart} - {*now.apart} if now is not None else set[str]()
            for kind in sorted(gone & self._working.contracts.keys()):
                if not self._settings.is_handler_retired(name, kind):
                    reason = f"actor {name} had a handler or a function for it, and has none now"
                    yield self._finding("handler-removed", kind, "$", reason)
                elif kind in role.asks:
                    yield self._early(kind, f"actor {name} of release {self._last.release} still makes it")

    def fields(self) -> Iterator[Finding]:
        """Fields that stored states have, and that this version drops when it saves them."""
        for name, contract in self._working.contracts.items():
            before = version_in(self._registry, name, self._last) if contract.kind == "state" else None
            if before is None:
                continue
            now = Schema.parse(contract.text)
            gone = set[str]() if is_lifted(before, now) else compare(now.shape, before.shape).added
            for path in sorted(gone - self._settings.fields_retired(name)):
                reason = f"stored states have {path}; whoever saves one now drops what is in it"
                yield self._finding("state-field-removed", name, path, reason)

    def produced(self) -> Iterator[Finding]:
        """What was retired, while the release before it makes it: what its workers decide last has no taker."""
        for topic, names in self._last.sends.items():
            taken = taken_by(self._working, topic)
            for name in names if taken is None else sorted(set(names) - taken):
                if self._settings.is_retired(name) or (taken is None and self._settings.is_retired(f"{TOPICS}{topic}")):
                    where = "" if topic in APART else f" to topic {topic}"
                    yield self._early(name, f"release {self._last.release} sends it{where}")

    def _early(self, name: str, what: str) -> Finding:
        return self._finding("still-produced", name, "$", f"it is retired, and {what}")

    def _finding(self, rule: str, contract: str, path: str, reason: str) -> Finding:
        versions = (f"release {self._last.release}", WORKING)
        breaks = f"what release {self._last.release} holds, or what its workers still make while they are replaced"
        return Finding(rule, contract, f"{contract}.avsc", path, reason, versions, breaks)
