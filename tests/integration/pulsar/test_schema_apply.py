"""Released schemas on a real broker: all of them, in their order, once; what it does without a word is told."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Generator
from typing import TYPE_CHECKING
from uuid import uuid4

import httpx2
import pytest
import stamina

from magnetar.runtime.bus.port import BusUnavailable, SchemaRefused
from magnetar.runtime.bus.pulsar.admin import Admin
from magnetar.runtime.bus.pulsar.applying import apply, survey
from magnetar.runtime.bus.pulsar.provisioning import plan
from magnetar.runtime.bus.pulsar.registering import Course, Registering
from magnetar.runtime.bus.pulsar.released import ReleasedTopic
from magnetar.runtime.bus.pulsar.settings import PulsarSettings
from magnetar.runtime.bus.pulsar.wanted import Wanted
from magnetar.runtime.cli import program
from magnetar.runtime.cli.apps import wiring_of
from magnetar.runtime.cli.exits import Exit
from magnetar.runtime.compose.places import PulsarPlace, wanted_of
from tests.contract.bus.harness import until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from magnetar.runtime.servers.pulsar import PulsarServer

LETTERS = ReleasedTopic(name="orders-magnetar-orders-DLQ")


def record(*fields: str, **more: object) -> str:
    """A record of strings that have defaults, as a released file holds it; a field with `!` has none."""
    written = [
        {"name": name.rstrip("!"), "type": "string", **({} if name.endswith("!") else {"default": ""})}
        for name in fields
    ]
    return json.dumps({"type": "record", "name": "R", "fields": written, **more}, indent=2) + "\n"


V1, V2, V3 = record("a"), record("a", "b"), record("a", "b", "c")


@pytest.fixture
def admin(pulsar_server: PulsarServer) -> Generator[Admin]:
    """The REST API of the run's server."""
    with Admin(pulsar_server.admin_url) as opened:
        yield opened


@pytest.fixture
def wanted() -> Wanted:
    """A namespace of the test's own."""
    return Wanted(application=f"shop-{uuid4().hex[:8]}", tenant=f"t-{uuid4().hex[:8]}")


def orders(*texts: str, problem: str = "") -> list[ReleasedTopic]:
    """These versions of one topic, and a topic for what failed there."""
    versions = dict(enumerate(texts, start=1))
    return [ReleasedTopic(name="orders", versions=versions, problem=problem), LETTERS]


def said(course: Course) -> list[tuple[str, tuple[int, ...], tuple[int, ...]]]:
    """What there is to say of the topic with schemas."""
    return [(each.action, each.versions, each.broker) for each in course.told if each.topic.endswith("/orders")]


def test_every_version_is_registered_once_and_in_order(admin: Admin, wanted: Wanted) -> None:
    """With the namespace and its strategy, before there is a topic; the next run finds it, a plan changes nothing."""
    registering = Registering(admin, wanted, orders(V1, V2, V3))
    assert said(registering.plan()) == [("register", (1, 2, 3), ())]
    assert admin.policies(wanted.namespace) is None
    first = registering.apply()
    assert [step.row().action for step in first.steps] == ["create tenant", "create namespace", *["set policy"] * 3]
    assert said(first) == [("registered", (1, 2, 3), (0, 1, 2))]
    again = registering.apply()
    assert (list(again.steps), said(again)) == ([], [("found", (1, 2, 3), (0, 1, 2))])
    assert said(Registering(admin, wanted, orders(V1, V2, V3, record("a", "d"))).apply()) == [
        ("found", (1, 2, 3), (0, 1, 2)),
        ("registered", (4,), (3,)),
    ]


def test_a_policy_of_the_topic_itself_is_set_too(admin: Admin, wanted: Wanted) -> None:
    """It would win over the namespace's, and the broker's answers would be about another question."""
    full = wanted.full("orders")
    Registering(admin, wanted, orders(V1)).apply()
    admin.create_partitions(full, 1)
    admin.set_policy_of(full, "schemaCompatibilityStrategy", "FORWARD")
    until(lambda: admin.verdict(full, V2).strategy == "FORWARD", 20.0, "the policy in force")
    registering = Registering(admin, wanted, orders(V1, record("a", "b!"), V2))
    planned = registering.plan()
    assert [step.row().have for step in planned.steps] == ['"FORWARD"']
    assert not planned.conflict  # nobody knows yet
    assert "once the strategy is set" in planned.told[1].reason
    course = registering.apply()
    assert said(course) == [("found", (1,), (0,)), ("CONFLICT", (2,), ())]
    assert admin.verdict(full, V2).strategy == "BACKWARD_TRANSITIVE"
    assert said(Registering(admin, wanted, orders(V1, V2)).apply())[1] == ("registered", (2,), (1,))


def test_what_only_docs_tell_apart_is_one_to_the_broker(admin: Admin, wanted: Wanted) -> None:
    """It answers 200 and keeps the older text: docs, aliases, the default of an enum."""
    enum = {"type": "enum", "name": "E", "symbols": ["A", "B"]}
    texts = [
        json.dumps({"type": "record", "name": "R", "fields": [{"name": "e", "type": {**enum, **more}, **field}]})
        for more, field in (({}, {}), ({"default": "A"}, {}), ({"default": "B"}, {}), ({}, {"doc": "which"}))
    ]
    assert said(Registering(admin, wanted, orders(*texts)).apply()) == [("registered", (1, 2, 3, 4), (0, 0, 0, 0))]
    [kept] = admin.schemas(wanted.full("orders")).values()
    assert kept.text == texts[0]
    assert said(Registering(admin, wanted, orders(*texts)).apply()) == [("found", (1, 2, 3, 4), (0, 0, 0, 0))]


def test_a_version_that_does_not_fit_the_one_before_it(admin: Admin, wanted: Wanted) -> None:
    """The broker judges it only when that one is there: it is named, and what came before it stays."""
    registering = Registering(admin, wanted, orders(V1, record("b!")))
    with pytest.raises(SchemaRefused, match="version 2 of orders was refused"):
        registering.apply()
    assert said(registering.apply()) == [("found", (1,), (0,)), ("CONFLICT", (2,), ())]


def test_a_conflict_registers_nothing(admin: Admin, wanted: Wanted) -> None:
    """Neither of this topic nor of another: refused by the broker, never released, letters that have a schema."""
    Registering(admin, wanted, orders(V1)).apply()
    full = wanted.full("orders")
    other = ReleasedTopic(name="stock", versions={1: V1})
    breaking = record("a", "b!")
    for released, reason in (
        (orders(V1, breaking), "BACKWARD_TRANSITIVE"),
        (orders(V1, V2, problem="it was never released"), "never released"),
    ):
        course = Registering(admin, wanted, [other, *released]).apply()
        assert course.conflict
        assert reason in next(each.reason for each in course.told if each.conflict)
        assert (list(admin.schemas(wanted.full("stock"))), list(admin.schemas(full))) == ([], [0])
    admin.add_schema(wanted.full(LETTERS.name), V1)
    course = Registering(admin, wanted, [other, *orders(V1)]).apply()
    assert "refuses the bytes" in next(each.reason for each in course.told if each.conflict)
    assert admin.schemas(wanted.full("stock")) == {}


def test_a_schema_of_another_kind_is_a_conflict(admin: Admin, wanted: Wanted) -> None:
    """The broker says so with a 500 that names no strategy; it is no unknown."""
    Registering(admin, wanted, orders()).apply()
    full = wanted.full("orders")
    admin._write(
        "POST", f"schemas/{full.removeprefix('persistent://')}/schema", {"type": "JSON", "schema": V1, "properties": {}}
    )
    assert [each.type for each in admin.schemas(full).values()] == ["JSON"]
    verdict = admin.verdict(full, V1)
    assert (verdict.strategy, verdict.reason) == (
        None,
        "Incompatible schema: exists schema type JSON, new schema type AVRO",
    )
    course = Registering(admin, wanted, orders(V1)).apply()
    assert "another kind (JSON)" in next(each.reason for each in course.told if each.conflict)


def test_deleted_schemas_are_registered_again(admin: Admin, wanted: Wanted) -> None:
    """Under new numbers; that old ones are gone is told, for nobody is told when it happens."""
    registering = Registering(admin, wanted, orders(V1, V2))
    registering.apply()
    admin._write("DELETE", f"schemas/{wanted.full('orders').removeprefix('persistent://')}/schema", None)
    assert said(registering.apply()) == [("registered", (1, 2), (3, 4))]
    assert ("deleted", (), (3,)) in said(registering.apply())


def test_what_somebody_else_registered_is_named(admin: Admin, wanted: Wanted) -> None:
    """And a version that is older than what is there is passed over: the broker would not take it."""
    Registering(admin, wanted, orders(V2)).apply()
    admin.add_schema(wanted.full("orders"), record("a", "b", "x"))
    assert said(Registering(admin, wanted, orders(V1, V2, V3)).apply()) == [
        ("found", (2,), (0,)),
        ("passed over", (1,), ()),
        ("strangers", (), (1,)),
        ("registered", (3,), (2,)),
    ]


class Cut(httpx2.HTTPTransport):
    """The network for so many calls; then one is cut off, before it or (`done`) after the broker has carried it out."""

    def __init__(self, calls: int, *, done: bool) -> None:
        super().__init__()
        self.left = calls
        self.done = done

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """As the transport does."""
        self.left -= 1
        if self.left >= 0:
            return super().handle_request(request)
        if self.done:
            super().handle_request(request).close()
        raise httpx2.ReadError("cut", request=request)


@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
def test_cut_short_anywhere_it_is_finished_by_the_next_run(
    pulsar_server: PulsarServer, admin: Admin, *, done: bool
) -> None:
    """After each call: what was done stays, nothing is done twice, the order is kept."""
    calls, cuts = 0, 0
    with stamina.set_testing(True, attempts=1):
        while True:
            wanted = Wanted(application=f"shop-{uuid4().hex[:8]}")
            with Admin(pulsar_server.admin_url, transport=Cut(calls, done=done)) as failing:
                try:
                    Registering(failing, wanted, orders(V1, V2, V3)).apply()
                except BusUnavailable:
                    cuts += 1
                else:
                    break
            course = Registering(admin, wanted, orders(V1, V2, V3)).apply()
            assert not course.conflict
            found = {
                each: broker
                for _, versions, known in said(course)
                for each, broker in zip(versions, known, strict=True)
            }
            assert found == {1: 0, 2: 1, 3: 2}
            calls += 1
    assert cuts >= 15


def test_a_run_that_somebody_overtakes_says_so(admin: Admin, wanted: Wanted, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between asking and registering another has put in what ours cannot read: typed, with version and topic."""
    Registering(admin, wanted, orders(V1)).apply()
    add: Callable[..., int] = admin.add_schema

    def overtaken(topic: str, text: str) -> int:
        monkeypatch.setattr(admin, "add_schema", add)
        add(topic, record("z!", "a"))
        return add(topic, text)

    monkeypatch.setattr(admin, "add_schema", overtaken)
    with pytest.raises(SchemaRefused, match=r"version 2 of orders was refused.*BACKWARD_TRANSITIVE") as caught:
        Registering(admin, wanted, orders(V1, record("a", "y"), V3)).apply()
    assert "run it again" not in str(caught.value)


# --- the command, on an app with two releases

MODULE = """
from typing import Annotated

from magnetar.runtime import Actor, App, Command, Context, Key, State
from magnetar.schemas import Doc

class Order(State):
    __namespace__ = "shop"
    status: Annotated[str, Doc("where it stands")] = "new"

class Place(Command):
    __namespace__ = "shop"
    order_id: Annotated[Key, Doc("which")]

class Cancel(Command):
    __namespace__ = "shop"
    order_id: Annotated[Key, Doc("which")]

orders = Actor("orders", Order)

@orders.handles
def place(order: Order, message: Place, context: Context) -> Order:
    return order

{more}
APP = App("{name}", orders)
"""
CANCEL = """
@orders.handles
def cancel(order: Order, message: Cancel, context: Context) -> Order:
    return order
"""


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], str]:
    """Writes a module with an app of that name, and says what to call it on the command line."""
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])

    def write(name: str, more: str) -> str:
        module = f"app_{uuid4().hex[:8]}"
        (tmp_path / f"{module}.py").write_text(MODULE.format(name=name, more=more), encoding="utf-8")
        importlib.invalidate_caches()
        return f"{module}:APP"

    return write


def ran(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """The exit status of a command, and what it printed."""
    status = program.run(arguments)
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def test_from_a_release_to_the_broker(
    pulsar_server: PulsarServer,
    admin: Admin,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    target: Callable[[str, str], str],
) -> None:
    """Two releases, registered by the command; `topics apply` adds none to them, and nobody brings another."""
    name, out = f"shop-{uuid4().hex[:8]}", str(tmp_path / "avro")
    first, second = target(name, ""), target(name, CANCEL)
    at = ("--out", out, "--admin", pulsar_server.admin_url)
    for release in (first, second):
        for what in (("generate",), ("release", "--reason", "as it is")):
            status, _, err = ran(capsys, "schema", *what, release, "--out", out)
            assert status == Exit.OK, err

    status, printed, err = ran(capsys, "schema", "apply", second, *at, "--plan", "--json")
    assert (status, err) == (Exit.OK, "2 versions to register; nothing was changed\n")
    assert admin.policies(f"public/{name}") is None
    status, printed, err = ran(capsys, "schema", "apply", second, *at, "--json")
    assert (status, err) == (Exit.OK, "2 versions registered\n")
    [told] = [each for each in json.loads(printed)["topics"] if each["action"] == "registered"]
    assert (told["versions"], told["broker"]) == ([1, 2], [0, 1])
    assert ran(capsys, "schema", "apply", second, *at)[2] == "0 versions registered\n"

    wiring = wiring_of(second)
    apply(admin, plan(wanted_of(wiring), survey(admin, wanted_of(wiring))))
    assert plan(wanted_of(wiring), survey(admin, wanted_of(wiring))) == []
    assert list(admin.schemas(f"persistent://public/{name}/orders")) == [0, 1]
    bus = PulsarPlace(PulsarSettings(service_url=pulsar_server.service_url, application=name)).connect("test")
    for text in (wiring_of(first).topics["orders"].codec.schema.text, wiring.topics["orders"].codec.schema.text):
        opening = bus.produce("orders", 0, f"p-{uuid4().hex[:6]}", text)
        until(opening.poll, 20.0, "a producer of a released version")
    stranger = bus.produce("orders", 0, "stranger", V1)
    with pytest.raises(SchemaRefused):
        until(stranger.poll, 20.0, "a refusal")
    bus.close()


def test_what_the_gate_refuses_is_not_registered(
    pulsar_server: PulsarServer,
    admin: Admin,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    target: Callable[[str, str], str],
) -> None:
    """A finding ends it before the broker is asked; a version that was never released is a conflict."""
    name, out = f"shop-{uuid4().hex[:8]}", tmp_path / "avro"
    first, second = target(name, ""), target(name, CANCEL)
    at = ("--out", str(out), "--admin", pulsar_server.admin_url)
    ran(capsys, "schema", "generate", first, "--out", str(out))
    status, printed, err = ran(capsys, "schema", "apply", first, *at)
    assert (status, err.splitlines()[-1]) == (
        Exit.NO,
        "nothing was registered: the conflicts need a decision first",
    )
    assert "never released" in " ".join(printed.split())
    ran(capsys, "schema", "release", first, "--out", str(out), "--reason", "as it is")
    status, printed, err = ran(capsys, "schema", "apply", second, *at)
    assert (status, err) == (Exit.NO, "2 findings: nothing was registered\n")
    assert "drift" in printed
    found = json.loads(ran(capsys, "schema", "apply", second, *at, "--json")[1])
    assert {each["rule"] for each in found["findings"]} == {"drift"}
    assert admin.policies(f"public/{name}") is None
