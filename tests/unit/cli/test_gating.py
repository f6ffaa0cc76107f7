"""`magnetar schema check` and `release` on an app: what they print, in which form, with which exit status."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import pytest

from magnetar.actors.charging.shop import SHOP
from magnetar.runtime import Actor, App, Command, Context, Event, Key, Remote, State, Timer
from magnetar.runtime.cli import program
from magnetar.runtime.cli.contracts import contracts_of
from magnetar.runtime.cli.exits import Exit
from magnetar.runtime.cli.gating import findings_of, sends_of, working_of
from magnetar.schemas import Doc, commerce, gate, generate

AVRO = Path(commerce.__file__).parent / "avro"
TARGET = "magnetar.actors.charging.shop:SHOP"


def ran(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """The exit status of a command, and what it printed."""
    status = program.run(arguments)
    printed = capsys.readouterr()
    return status, printed.out, printed.err


@pytest.fixture
def avro(tmp_path: Path) -> Path:
    """The shop's committed files, with all that was released."""
    for path in AVRO.rglob("*"):
        if path.is_file():
            copy = tmp_path / "avro" / path.relative_to(AVRO)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    return tmp_path / "avro"


def test_the_shop_breaks_nothing_that_it_has_released() -> None:
    """`magnetar schema release magnetar.actors.charging.shop:SHOP --out …/commerce/avro` makes the next release."""
    assert findings_of(SHOP.wire(), gate.load(AVRO), AVRO) == []


def test_every_contract_of_the_release_is_there() -> None:
    """Each that was in 0.1.0, with samples that its own type takes."""
    registry = gate.load(AVRO)
    assert registry.releases[0].label == "0.1.0"
    assert registry.versions.keys() <= working_of(SHOP.wire()).contracts.keys()
    assert all(len(version.golden) >= 1 for found in registry.versions.values() for version in found)


def test_a_changed_contract_is_told_in_four_lines(capsys: pytest.CaptureFixture[str], avro: Path) -> None:
    """File, rule and path; what it is; for whom it breaks; what to do. Exit status 1, and the rest on stderr."""
    other_release(avro)
    status, out, err = ran(capsys, "schema", "check", TARGET, "--out", str(avro))
    assert status == Exit.NO
    assert out.splitlines() == [
        f"{avro}/magnetar.orders.Cancel.avsc: field-removed at $.why, version 2 → working",
        "  why is gone, and had no default",
        "  breaks: old readers (workers of the release before, while both run or after going back)",
        "  instead: keep it until no version without a default for it is in use; or give it a default first",
    ]
    assert err == "1 finding against 50 versions of 2 releases\n"


def test_findings_as_json(capsys: pytest.CaptureFixture[str], avro: Path) -> None:
    """All that the text says, each in its own field."""
    other_release(avro)
    status, out, _ = ran(capsys, "schema", "check", TARGET, "--out", str(avro), "--json")
    assert status == Exit.NO
    [found] = json.loads(out)["findings"]
    assert (found["rule"], found["contract"], found["path"]) == ("field-removed", "magnetar.orders.Cancel", "$.why")
    assert (found["versions"], found["others"]) == (["2", "working"], [])
    assert found["file"] == str(avro / "magnetar.orders.Cancel.avsc")
    assert found["breaks"]
    assert found["instead"]


def test_findings_as_annotations(capsys: pytest.CaptureFixture[str], avro: Path) -> None:
    """One workflow command a finding."""
    other_release(avro)
    status, out, _ = ran(capsys, "schema", "check", TARGET, "--out", str(avro), "--format", "github")
    assert status == Exit.NO
    [line] = out.splitlines()
    file = avro / "magnetar.orders.Cancel.avsc"
    assert line.startswith(
        f"::error file={file},title=field-removed at $.why::why is gone, and had no default%0Abreaks"
    )


def test_nothing_to_find(capsys: pytest.CaptureFixture[str], avro: Path) -> None:
    """Exit status 0, and nothing on stdout."""
    assert ran(capsys, "schema", "check", TARGET, "--out", str(avro)) == (
        0,
        "",
        "0 findings against 32 versions of 1 release\n",
    )


def test_a_file_that_is_not_what_its_type_is_is_a_finding(capsys: pytest.CaptureFixture[str], avro: Path) -> None:
    """The released versions were made of such files."""
    (avro / "magnetar.orders.Cancel.avsc").write_text("{}\n", encoding="utf-8")
    status, out, _ = ran(capsys, "schema", "check", TARGET, "--out", str(avro))
    assert status == Exit.NO
    assert "magnetar.orders.Cancel.avsc: drift at $" in out


def test_settings_that_cannot_be_used_are_no_finding(capsys: pytest.CaptureFixture[str], avro: Path) -> None:
    """Exit status 2: nothing was judged."""
    (avro / "gate.toml").write_text("[other]\n", encoding="utf-8")
    status, out, err = ran(capsys, "schema", "check", TARGET, "--out", str(avro))
    assert (status, out) == (Exit.USAGE, "")
    assert "gate.toml cannot be used" in err


def test_releasing(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A first release takes everything; a second one has nothing to do; one without a reason is refused."""
    out = str(tmp_path)
    assert ran(capsys, "schema", "generate", TARGET, "--out", out)[0] == 0
    status, printed, _ = ran(
        capsys, "schema", "release", TARGET, "--out", out, "--label", "1", "--reason", "the first", "--json"
    )
    made = json.loads(printed)
    assert (status, made["release"], len(made["versions"])) == (0, 1, len(working_of(SHOP.wire()).contracts))
    status, printed, err = ran(capsys, "schema", "release", TARGET, "--out", out, "--reason", "another")
    assert (status, printed, err) == (0, "", "nothing has changed since the last release; nothing was released\n")
    assert ran(capsys, "schema", "release", TARGET, "--out", out, "--reason", " ")[0] == Exit.USAGE


def test_what_is_refused_is_not_released(capsys: pytest.CaptureFixture[str], avro: Path) -> None:
    """The findings are told, no file is written."""
    other_release(avro)
    before = sorted(avro.rglob("*"))
    status, _, err = ran(capsys, "schema", "release", TARGET, "--out", str(avro), "--reason", "in spite of all")
    assert status == Exit.NO
    assert err.endswith("1 finding: nothing was released\n")
    assert sorted(avro.rglob("*")) == before


def other_release(avro: Path) -> None:
    """A second release, in which `Cancel` had a field that it has not now."""
    working = working_of(SHOP.wire())
    cancel = working.contracts["magnetar.orders.Cancel"]
    schema = json.loads(cancel.text)
    schema["fields"].append({"name": "why", "type": "string", "doc": "what the customer said"})
    other = gate.Contract(cancel.name, cancel.kind, json.dumps(schema, indent=2) + "\n")
    planned = gate.plan(
        gate.load(avro),
        gate.Working({**working.contracts, cancel.name: other}, working.sends, working.generation),
        "",
        "why",
    )
    assert planned is not None
    gate.publish(planned, avro)


class Place(Command):
    """Asks for a meal."""

    __namespace__ = "inn"
    order_id: Annotated[Key, Doc("which")]


class Cook(Command):
    """Asks the kitchen."""

    __namespace__ = "inn"
    order_id: Annotated[Key, Doc("which")]


class Served(Event):
    """It is on the table."""

    __namespace__ = "inn"
    order_id: Annotated[Key, Doc("which")]


class Cold(Timer):
    """It has stood there for too long."""

    __namespace__ = "inn"


class Bill(Command):
    """Is taken elsewhere."""

    __namespace__ = "inn"
    order_id: Annotated[Key, Doc("which")]


class Table(State):
    """A table."""

    __namespace__ = "inn"
    served: Annotated[int, Doc("meals")] = 0


class Kitchen(State):
    """A kitchen."""

    __namespace__ = "inn"
    cooked: Annotated[int, Doc("meals")] = 0


def place(state: Table, message: Place, context: Context) -> Table:
    """Sends nothing."""
    return state


def place_and_cook(state: Table, message: Place, context: Context) -> Table:
    """Sends whatever there is."""
    context.send(Cook(order_id=context.key))
    context.send(Bill(order_id=context.key))
    context.publish(Served(order_id=context.key))
    context.schedule(Cold(), after=60)
    return state


def closing_over(ask: Callable[[Context], None]) -> Callable[[Table, Place, Context], Table]:
    """A handler that calls what it was made with."""

    def place_by_closure(state: Table, message: Place, context: Context) -> Table:
        ask(context)
        return state

    return place_by_closure


def ask_kitchen(context: Context) -> None:
    """Sends one command."""
    context.send(Cook(order_id=context.key))


def inn(
    handler: Callable[[Table, Place, Context], Table], *, accepts: bool = True, waits: bool = True, contracts: int = 0
) -> App:
    """An app that may accept a command, and may send it; that may have a timer."""
    tables = Actor("tables", Table, publishes=[Served])
    kitchen = Actor("kitchen", Kitchen)
    tables.handles(handler)

    if waits:

        @tables.handles
        def cold(state: Table, message: Cold, context: Context) -> Table:
            return state

    @kitchen.handles
    def served(state: Kitchen, message: Served, context: Context) -> Kitchen:
        return state

    if accepts:

        @kitchen.handles
        def cook(state: Kitchen, message: Cook, context: Context) -> Kitchen:
            return state

    return App("inn", tables, kitchen, remotes=[Remote("till", takes=[Bill])], contracts=contracts)


def test_what_an_app_sends_is_read_from_its_code() -> None:
    """By topic; what a remote takes is not ours to judge; what a handler has closed over counts too."""
    assert sends_of(inn(place).wire()) == {}
    assert sends_of(inn(place_and_cook).wire()) == {
        "kitchen": ("inn.Cook",),
        "tables-events": ("inn.Served",),
        "timers": ("inn.Cold",),
    }
    assert sends_of(inn(closing_over(ask_kitchen)).wire()) == {"kitchen": ("inn.Cook",)}


def findings(app: App, directory: Path) -> list[tuple[str, str]]:
    """What the gate says of an app whose files were generated."""
    wiring = app.wire()
    generate(contracts_of(wiring), directory)
    return [(each.rule, each.contract) for each in findings_of(wiring, gate.load(directory), directory)]


def release(app: App, directory: Path) -> None:
    """Release it."""
    planned = gate.plan(gate.load(directory), working_of(app.wire()), "", "a step")
    assert planned is not None
    gate.publish(planned, directory)


def test_a_new_message_takes_two_releases(tmp_path: Path) -> None:
    """Accepted and sent at once it is refused; accepted in one release it may be sent in the next."""
    release(inn(place, accepts=False), tmp_path)
    both = findings(inn(place_and_cook), tmp_path)
    assert ("accept-then-send", "inn.Cook") in both
    assert findings(inn(place), tmp_path) == []
    release(inn(place), tmp_path)
    assert findings(inn(place_and_cook), tmp_path) == []
    release(inn(place_and_cook), tmp_path)
    assert findings(inn(place_and_cook), tmp_path) == []


def test_a_new_timer_takes_two_releases_or_a_generation(tmp_path: Path) -> None:
    """It stays in its shard, and older workers leave shards of a newer generation alone (R16)."""
    release(inn(place, waits=False), tmp_path)
    assert ("accept-then-send", "inn.Cold") in findings(inn(place_and_cook), tmp_path)
    assert ("accept-then-send", "inn.Cold") not in findings(inn(place_and_cook, contracts=1), tmp_path)
