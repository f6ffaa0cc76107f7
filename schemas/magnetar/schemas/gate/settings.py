"""What a team has settled about its contracts, in `gate.toml`, each with its reason.

[contracts."shop.Audit"]
mode = "BACKWARD_TRANSITIVE"
reason = "written by one job and read by one report, which are released together"

[contracts."shop.Gift"]
retired = true
reason = "no gift since 2025; `magnetar schema check … --against` finds none"

[contracts."shop.Order"]
retired_fields = ["$.note"]
reason = "nothing reads it since 1.3"

[actors.orders]
retired_handlers = ["shop.Overdue"]
reason = "nothing sets it since 1.3; `magnetar schema check … --against` finds none"

[[allow]]
rule = "money-double"
contract = "shop.Parcel"
path = "$.total_weight"
reason = "kilograms"
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Final

import msgspec

from magnetar.schemas.errors import GateInvalid
from magnetar.schemas.gate.registry import TOPICS
from magnetar.schemas.gate.wording import RULES

FILE: Final = "gate.toml"
NEVER: Final = frozenset({"released-file", "golden", "drift", "schema-invalid"})
"""Rules that nobody can be excused from."""


class Mode(Enum):
    """Which readers must understand which versions: all of them, or those of one direction, over all versions."""

    FULL = "FULL_TRANSITIVE"
    BACKWARD = "BACKWARD_TRANSITIVE"
    FORWARD = "FORWARD_TRANSITIVE"
    NONE = "NONE"

    @property
    def old_readers(self) -> bool:
        """Whether old readers must be able to read what is written now."""
        return self in {Mode.FULL, Mode.FORWARD}

    @property
    def new_readers(self) -> bool:
        """Whether new readers must be able to read what was ever written."""
        return self in {Mode.FULL, Mode.BACKWARD}


class Settled(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What holds for one contract."""

    reason: str
    mode: Mode | None = None
    retired: bool = False
    retired_fields: tuple[str, ...] = ()


class SettledActor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What holds for one actor: whether it may be gone, with its topics, or some of what it has on no topic."""

    reason: str
    retired: bool = False
    retired_handlers: tuple[str, ...] = ()


class Allowed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A finding that is known and wanted."""

    rule: str
    contract: str
    path: str
    reason: str


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    contracts: Mapping[str, Settled] = {}
    actors: Mapping[str, SettledActor] = {}
    allow: tuple[Allowed, ...] = ()

    def mode_of(self, contract: str, kind: str) -> Mode:
        """Bodies and states are FULL_TRANSITIVE; topics BACKWARD_TRANSITIVE, as a union cannot grow under FULL."""
        settled = self.contracts.get(contract)
        if settled is not None and settled.mode is not None:
            return settled.mode
        return Mode.BACKWARD if kind == "topic" else Mode.FULL

    def is_retired(self, contract: str) -> bool:
        """Whether a contract may be gone; a topic may be when its actor is."""
        settled = self.contracts.get(contract)
        if settled is not None and settled.retired:
            return True
        topic = contract.removeprefix(TOPICS)
        return topic != contract and self.is_actor_retired(topic.removesuffix("-events"))

    def is_actor_retired(self, actor: str) -> bool:
        """Whether an actor may be gone."""
        settled = self.actors.get(actor)
        return settled is not None and settled.retired

    def is_handler_retired(self, actor: str, kind: str) -> bool:
        """Whether an actor may have no handler, or no function, any more for what is on no topic."""
        settled = self.actors.get(actor)
        return self.is_retired(kind) or (settled is not None and kind in settled.retired_handlers)

    def fields_retired(self, contract: str) -> set[str]:
        """The paths of a state that may be gone."""
        settled = self.contracts.get(contract)
        return set() if settled is None else {*settled.retired_fields}

    def allows(self, rule: str, contract: str, path: str) -> bool:
        """Whether a finding is known and wanted."""
        return any((each.rule, each.contract, each.path) == (rule, contract, path) for each in self.allow)


def load_settings(directory: Path) -> Settings:
    """Return what `gate.toml` in a folder of schema files says; nothing where there is none. Raises `GateInvalid`."""
    path = directory / FILE
    if not path.is_file():
        return Settings()
    try:
        found = msgspec.toml.decode(path.read_bytes(), type=Settings)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise GateInvalid(f"{path} cannot be used: {error}") from error
    for problem in _problems(found):
        raise GateInvalid(f"{path} cannot be used: {problem}")
    return found


def _problems(settings: Settings) -> list[str]:
    silent = [name for name, each in settings.contracts.items() if not each.reason.strip()]
    silent += [f"actor {name}" for name, each in settings.actors.items() if not each.reason.strip()]
    silent += [f"{each.rule} of {each.contract}" for each in settings.allow if not each.reason.strip()]
    unknown = [each.rule for each in settings.allow if each.rule not in RULES]
    never = [each.rule for each in settings.allow if each.rule in NEVER]
    return [
        *(f"{name} needs a reason that says more than nothing" for name in silent),
        *(f"there is no rule {rule!r}" for rule in unknown),
        *(f"rule {rule!r} cannot be allowed to be broken" for rule in never),
    ]
