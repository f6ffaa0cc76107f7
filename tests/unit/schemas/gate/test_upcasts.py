"""The gate on declared upcasts: each released version reaches the newest, and old readers are told of."""

# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Annotated, Any

import pytest

from magnetar.schemas import Command, Contracts, Doc, Key, State, contract_name, gate, upcast
from magnetar.schemas.gate.settings import Settled
from tests.unit.schemas.gate.test_registry import released
from tests.unit.schemas.shop import made

BACKWARD = gate.Mode.BACKWARD


def customer(fields: dict[str, Any], before: Any = None, lift: Any = None, base: type[Any] = State) -> Any:
    """A version of a contract: fields with defaults, and how it comes from the version before."""
    annotations = {name: Annotated[type(value), Doc(f"the {name}")] for name, value in fields.items()}
    if base is Command:
        annotations["id"] = Annotated[Key, Doc("which")]
    body = {"__namespace__": "shop", "__contract__": "Customer", "__annotations__": annotations, **fields}
    if before is not None:
        holder: list[Any] = []
        body["lift"] = upcast(before)(lambda old: lift(old, holder[0]))
        holder.append(made(base, "Customer", body))
        return holder[0]
    return made(base, "Customer", body)


def working(cls: Any, generation: int = 0, **topics: Any) -> gate.Working:
    """An app with that contract."""
    return gate.working_of(Contracts("shop", [cls], topics), {}, generation)


def checked(directory: Path, now: gate.Working, mode: gate.Mode = BACKWARD) -> list[tuple[str, str, str]]:
    """Rule, path and oldest version of each finding."""
    settled = {"shop.Customer": Settled("they are released together", mode)}
    found = gate.check(gate.load(directory), now, gate.Settings(contracts=settled))
    return [(each.rule, each.path, each.versions[0]) for each in found]


def split(old: Any, new: Any) -> Any:
    """One name → two."""
    first, _, last = old.name.partition(" ")
    return new(first=first, last=last)


ONE = customer({"name": ""})
TWO = customer({"first": "", "last": ""}, ONE, split)


def test_each_released_version_reaches_the_newest(tmp_path: Path) -> None:
    """Through as many upcasts as there are; what came and went before them is Avro's."""
    released(tmp_path, working(customer({"name": "", "hat": ""})))
    released(tmp_path, working(ONE))
    released(tmp_path, working(TWO, 1))
    cents = customer({"first": "", "last": "", "spent": 0}, TWO, lambda old, new: new(first=old.first, last=old.last))
    assert checked(tmp_path, working(cents, 2)) == []


def test_old_readers_are_told_of(tmp_path: Path) -> None:
    """Under FULL, with what to settle; a state needs a new generation as well."""
    released(tmp_path, working(ONE))
    assert checked(tmp_path, working(TWO, 1), gate.Mode.FULL) == [("upcast", "$", "1")]
    assert checked(tmp_path, working(TWO)) == [("state-generation", "$", "1")]


def test_a_type_that_is_not_what_was_released_is_found(tmp_path: Path) -> None:
    """What the upcast takes must read what was written, at each path."""
    released(tmp_path, working(customer({"name": "", "age": 7})))
    wrong = customer({"name": "", "age": ""})
    assert checked(tmp_path, working(customer({"first": "", "last": ""}, wrong, split), 1)) == [
        ("type-changed", "$.age", "1")
    ]


@pytest.mark.parametrize(
    ("lift", "path"),
    [
        (lambda old, new: new(first=old.name[0]), "$"),
        (lambda old, _: old, "$"),
        (lambda _, new: new(first=None), "$.first"),
    ],
    ids=["raises", "another type", "does not fit"],
)
def test_a_version_that_does_not_reach_the_newest_is_found(tmp_path: Path, lift: Callable[..., Any], path: str) -> None:
    """By its samples: the path, and what the function did."""
    released(tmp_path, working(ONE))
    found = checked(tmp_path, working(customer({"first": "", "last": ""}, ONE, lift), 1))
    assert ("golden", path, "1") in found
    assert {rule for rule, _, _ in found} == {"golden"}


def test_an_upcast_that_asks_chance_is_found(tmp_path: Path) -> None:
    """Read twice, it says two things: nobody could replay it."""
    released(tmp_path, working(ONE))
    chance = count(1)
    random = customer({"first": "", "last": ""}, ONE, lambda old, new: new(first=f"{old.name}{next(chance)}"))
    assert {rule for rule, _, _ in checked(tmp_path, working(random, 1))} == {"golden"}


def test_an_upcast_that_is_gone_is_found(tmp_path: Path) -> None:
    """Whatever else is settled for old readers: what is stored has no way any more."""
    released(tmp_path, working(ONE))
    released(tmp_path, working(TWO, 1))
    found = checked(tmp_path, working(customer({"first": "", "last": ""}), 2))
    assert ("upcast-removed", "$", "2") in found


def test_what_the_broker_would_refuse_on_a_topic_is_found(tmp_path: Path) -> None:
    """A field of another type is nothing to an upcast, and a conflict to the topic; a state is on none."""
    one = customer({"name": ""}, base=Command)
    two = customer({"name": 0}, one, lambda old, new: new(id=old.id, name=len(old.name)), base=Command)
    released(tmp_path, working(one, names=[one]))
    assert checked(tmp_path, working(two, names=[two])) == [("avro", "$", "1")]
    state = customer({"name": 0}, ONE, lambda old, new: new(name=len(old.name)))
    released(tmp_path / "states", working(ONE))
    assert checked(tmp_path / "states", working(state, 1)) == []


def test_a_message_of_a_topic_that_is_split_is_taken(tmp_path: Path) -> None:
    """The topic's own samples are the message's to judge."""
    one = customer({"name": ""}, base=Command)
    first, last = {"first": ""}, {"last": ""}
    two = customer({**first, **last}, one, lambda old, new: new(id=old.id, first=old.name), base=Command)
    released(tmp_path, working(one, names=[one]))
    assert contract_name(two) == "shop.Customer"
    assert checked(tmp_path, working(two, names=[two])) == []
    released(tmp_path, working(two, names=[two]))
    assert checked(tmp_path, working(two, names=[two])) == []
