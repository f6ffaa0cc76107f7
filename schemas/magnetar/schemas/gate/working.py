"""The working version: what an app's contracts are now, about to be compared with what was released."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from magnetar.schemas.codec import Codec, codec_for
from magnetar.schemas.contracts import Command, Event, State, Timer
from magnetar.schemas.derivation import contract_name
from magnetar.schemas.gate.registry import TOPICS, Role
from magnetar.schemas.generation import Contracts, pretty
from magnetar.schemas.topics import topic_codec

if TYPE_CHECKING:
    import msgspec

TIMERS: Final = "timers"
"""Under this name, in place of a topic, stand the timers that an app's code sets."""

EFFECTS: Final = "effects"
"""Likewise what its code asks of the outside."""

APART: Final = frozenset({TIMERS, EFFECTS})
"""What is on no topic."""

KINDS: Final[Mapping[str, type[Any]]] = {"command": Command, "event": Event, "timer": Timer, "state": State}


@dataclass(frozen=True, slots=True)
class Contract:
    """One contract as it is now: its kind (command, event, timer, state, record, topic) and its file's text.

    Where there is a type behind it, its codec; where that is a state's, the state of a key never seen.
    """

    name: str
    kind: str
    text: str
    codec: Codec[Any] | None = None
    initial: object = None


@dataclass(frozen=True, slots=True)
class Working:
    """All contracts by name, a topic's as ``topics/<name>``.

    `sends` are the messages that the app's code sends, by topic; `generation` is its number of contracts (R16);
    `actors` are what each of its actors has, by name.
    """

    contracts: Mapping[str, Contract]
    sends: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    generation: int = 0
    actors: Mapping[str, Role] = field(default_factory=dict[str, Role])


def working_of(
    contracts: Contracts,
    sends: Mapping[str, tuple[str, ...]],
    generation: int,
    actors: Mapping[str, Role] | None = None,
) -> Working:
    """Return the working version of an app's types, or raise ContractInvalid."""
    texts = {name.removesuffix(".avsc"): pretty(schema) for name, schema in contracts.schemas().items()}
    codecs: dict[str, Codec[Any]] = {contract_name(cls): codec_for(cls) for cls in contracts.bodies}
    for topic, types in contracts.topics.items():
        codecs[f"{TOPICS}{topic}"] = topic_codec(topic, contracts.namespace, types)
    kinds = {contract_name(cls): _kind(cls) for cls in contracts.bodies}
    initial = {contract_name(cls): cls() for cls in contracts.bodies if issubclass(cls, State)}
    found = {
        name: Contract(name, kinds.get(name, "topic"), text, codecs[name], initial.get(name))
        for name, text in texts.items()
    }
    return Working(found, sends, generation, actors or {})


def _kind(cls: type[msgspec.Struct]) -> str:
    return next((kind for kind, base in KINDS.items() if issubclass(cls, base)), "record")
