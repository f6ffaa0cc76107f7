"""Staging: what is rendered for Chaos Mesh, what is not and why, and that nothing outside the namespace is selected."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from typer.testing import CliRunner

from magnetar.chaos.cli import app
from magnetar.chaos.playing.agenda import length
from magnetar.chaos.scenarios import spec
from magnetar.chaos.scenarios.reading import suite
from magnetar.chaos.scenarios.spec import Scenario, Who
from magnetar.chaos.staging.abort import GOOD, QUERY
from magnetar.chaos.staging.ground import Charts, Ground, GroundRefused, Place, charts, ground
from magnetar.chaos.staging.lacks import NotStaged, Otherwise, Why
from magnetar.chaos.staging.rendering import rendered
from magnetar.chaos.staging.workflow import RUN, SCENARIO, span, staged
from magnetar.runtime.telemetry.catalogue import CATALOGUE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

DEPLOY = Path(__file__).parents[3] / "deploy/chaos"
SEATS = [
    "broker-of:orders/o-17=pulsar-broker-1",
    "bookies-of:orders/o-17=pulsar-bookie-1,pulsar-bookie-2",
    "worker-of:orders/3=worker-6d4cf56db6-x7x2p",
    "worker-of:desks/3=worker-6d4cf56db6-x7x2p",
    "worker-of:payments/2=worker-6d4cf56db6-x7x2p",
    "worker-of:payments/1=worker-6d4cf56db6-9hq4t",
    "leader:zookeeper=pulsar-zookeeper-2",
]
"""As if somebody had looked; the manifests in `deploy/chaos/rendered` are made with these."""
REFUSED = {
    "S01": {Why.NO_POINTS},
    "S02": {Why.NO_STOP},
    "S05": {Why.NO_ORDER, Why.NO_ADMIN},
    "S06": {Why.NO_POWER},
    "S07": {Why.NO_ORDER},
    "S08": {Why.NO_SHARES},
    "S10": {Why.NO_ADMIN},
    "S11": {Why.NO_STOP},
    "S13": {Why.NO_STOP},
    "S20": {Why.NO_SHARES},
    "S21b": {Why.NOT_RENDERED},
    "S21c": {Why.NO_VOLUME},
    "S21d": {Why.NO_ORDER},
    "S22": {Why.NO_ADMIN},
    "S22b": {Why.NO_ADMIN},
    "S25": {Why.NOT_RENDERED},
    "S26": {Why.NO_BACKUP},
    "S27": {Why.NOT_RENDERED},
    "S28": {Why.NOT_RENDERED},
    "S31": {Why.NO_ORDER},
    "S33": {Why.NO_ADMIN, Why.NO_ORDER, Why.NOT_RENDERED},
    "S32": {Why.NO_FLEET, Why.NO_NUMBERS},
    "S29": {Why.NO_RESET},
    "S30": {Why.NOT_RENDERED},
}
FAULTS = ("podChaos", "networkChaos", "ioChaos")


def whole(seats: list[str] | None = None) -> Ground:
    """A ground with all roles."""
    return ground("staging", "example", charts(), SEATS if seats is None else seats)


def scenario(*faults: Mapping[str, object], **more: object) -> Scenario:
    """A scenario with these faults."""
    said = {"id": "X01", "title": "One", "text": "Of a test.", "faults": [*faults], **more}
    return Scenario.model_validate(said)


def templates(workflow: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Its templates by name; no name is there twice."""
    found = {each["name"]: each for each in workflow["spec"]["templates"]}
    assert len(found) == len(workflow["spec"]["templates"])
    return found


def made(*faults: Mapping[str, object], on: Ground | None = None) -> dict[str, dict[str, Any]]:
    """The templates of a scenario with these faults."""
    return templates(plain(staged(scenario(*faults), on or whole()).workflow))


def plain(tree: object) -> Any:
    """As whoever reads the manifest finds it."""
    return json.loads(json.dumps(tree))


def selectors(tree: Any) -> Iterator[dict[str, Any]]:
    """All selectors in it, however deep."""
    inner: Iterable[Any] = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    if isinstance(tree, dict) and "selector" in tree:
        yield tree["selector"]
    for each in inner:
        yield from selectors(each)


def schemas() -> list[dict[str, Any]]:
    """Ours, and Chaos Mesh's own if CHAOS_MESH_CRDS names the folder of its definitions (config/crd/bases)."""
    found = [json.loads(Path(__file__).with_name("chaos_mesh_workflow.json").read_text(encoding="utf-8"))]
    if folder := os.environ.get("CHAOS_MESH_CRDS"):
        text = (Path(folder) / "chaos-mesh.org_workflows.yaml").read_text(encoding="utf-8")
        found += [each["schema"]["openAPIV3Schema"] for each in yaml.safe_load(text)["spec"]["versions"]]
    return found


VALIDATORS = [Draft202012Validator(schema) for schema in schemas()]


def faults_of(workflow: Mapping[str, Any]) -> list[str]:
    """What a schema finds wrong with a manifest."""
    return [f"{error.json_path}: {error.message}" for each in VALIDATORS for error in each.iter_errors(workflow)]


def test_every_scenario_renders_or_says_why_not() -> None:
    """Each fault that Chaos Mesh cannot do is named; nothing is left out in silence."""
    found = rendered(suite().values(), whole())
    assert {each.scenario: {lack.why for lack in each.lacks} for each in found.refused} == REFUSED
    assert found.manifests.keys() | REFUSED.keys() == suite().keys()
    assert not found.manifests.keys() & REFUSED.keys()


@pytest.mark.parametrize("name", sorted(suite().keys() - REFUSED.keys()))
def test_every_manifest_is_what_chaos_mesh_takes(name: str) -> None:
    """By the schema; and each fault of the scenario, each time that it strikes, is in it."""
    workflow = plain(staged(suite()[name], whole()).workflow)
    assert faults_of(workflow) == []
    struck = {each.rsplit("-", 1)[0] for each, said in templates(workflow).items() if said.keys() & set(FAULTS)}
    wanted = {
        f"f{number}-t{turn}"
        for number, deed in enumerate(suite()[name].faults, 1)
        for turn in range(1, (deed.repeat.times if deed.repeat else 1) + 1)
    }
    assert struck == wanted


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ({"deadline": None}, "deadline"),
        ({"podChaos": {"action": "pod-kill", "mode": "all", "selector": {}}}, "f1-t1-kill"),
        ({"podChaos": {"action": "pod-failure", "mode": "all", "selector": {"namespaces": ["a", "b"]}}}, "f1-t1-kill"),
    ],
)
def test_the_schema_finds_what_is_wrong(broken: dict[str, Any], told: str) -> None:
    """A schema that lets everything pass would prove nothing."""
    workflow = plain(staged(suite()["S04"], whole()).workflow)
    templates(workflow)["f1-t1-kill"].update(broken)
    assert told in "\n".join(faults_of(workflow))


def test_without_seats_nobody_is_guessed() -> None:
    """Who has a part is known to the running cluster alone."""
    with pytest.raises(NotStaged, match=r"fault 1 \(broker-of:orders/o-17, 1 wanted, 0 named\)") as refused:
        staged(suite()["S24"], whole([]))
    assert [lack.why for lack in refused.value.lacks] == [Why.NOT_KNOWN]
    several = {"do": "kill", "who": {"bookies-of": "orders/o-17", "count": 3}}
    with pytest.raises(NotStaged, match="3 wanted, 2 named"):
        staged(scenario(several), whole())


def test_a_kill_is_sigkill_first_and_then_keeps_down() -> None:
    """What keeps a pod down stops it in order: the kill has to come before it."""
    found = made({"do": "kill", "who": {"broker-of": "orders/o-17"}, "for": 13, "at": 4})
    assert found["f1-t1"]["children"] == ["f1-t1-wait", "f1-t1-kill", "f1-t1-down"]
    assert found["f1-t1-wait"]["deadline"] == "4s"
    assert (found["f1-t1-kill"]["podChaos"]["action"], found["f1-t1-kill"]["deadline"]) == ("container-kill", "2s")
    assert (found["f1-t1-down"]["podChaos"]["action"], found["f1-t1-down"]["deadline"]) == ("pod-failure", "11s")
    assert found["f1-t1-down"]["podChaos"]["selector"]["pods"] == {"staging": ["pulsar-broker-1"]}


def test_a_short_kill_says_that_nothing_keeps_it_down() -> None:
    """To exchange an image and back takes longer than that."""
    found = staged(scenario({"do": "kill", "who": {"named": ["store"]}, "for": 3}), whole())
    assert [each.how for each in found.differences] == [Otherwise.SOON_BACK]


@pytest.mark.parametrize(("ways", "direction"), [("both", "both"), ("there", "to"), ("back", "from")])
def test_a_cut_has_its_direction(ways: str, direction: str) -> None:
    """From who is cut, to the other one."""
    cut = {"do": "cut", "who": {"every": "worker"}, "other": {"every": "broker", "count": 2}, "ways": ways, "for": 9}
    found = made(cut)["f1-t1-cut"]["networkChaos"]
    assert found["direction"] == direction
    assert found["selector"]["labelSelectors"]["component"] == "worker"
    assert found["target"]["selector"]["pods"] == {"staging": ["pulsar-broker-0", "pulsar-broker-1"]}


def test_nodes_by_name_are_pods_by_number() -> None:
    """`broker-2` is the second: its pod has the number 1."""
    named = {"named": ["broker-2", "broker-1"]}
    found = made({"do": "isolate", "who": named, "for": 9})["f1-t1-cut"]["networkChaos"]
    assert found["selector"]["pods"] == {"staging": ["pulsar-broker-1", "pulsar-broker-0"]}
    assert found["target"] == {"mode": "all", "selector": {"namespaces": ["staging"]}}


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ({"do": "kill", "who": {"named": ["broker-1", "store"]}}, Why.MIXED),
        ({"do": "kill", "who": {"named": ["switch"]}}, Why.NO_PLACE),
        ({"do": "kill", "who": {"named": ["broker-0"]}}, Why.NO_PLACE),
        ({"do": "kill", "who": {"every": "worker", "count": 1}}, Why.NO_NUMBERS),
        ({"do": "fill-disk", "who": {"every": "broker"}}, Why.NO_VOLUME),
    ],
)
def test_a_target_that_is_not_there_is_told(fault: Mapping[str, object], why: Why) -> None:
    """And nothing is rendered."""
    with pytest.raises(NotStaged) as refused:
        staged(scenario(fault), whole())
    assert [lack.why for lack in refused.value.lacks] == [why]


def test_the_abort_rule_watches_from_begin_to_end() -> None:
    """Beside all faults, for longer than they last; without it no manifest is rendered."""
    found = templates(plain(staged(suite()["S16"], whole()).workflow))
    assert found["run"]["children"] == ["abort", "faults"]
    check = found["abort"]
    assert check["abortWithStatusCheck"]
    assert int(check["deadline"][:-1]) > length(suite()["S16"].faults) + suite()["S16"].phases.recover
    url: str = check["statusCheck"]["http"]["url"]
    assert parse_qs(urlsplit(url).query, strict_parsing=True) == {"query": [QUERY]}


def test_the_rules_record_what_the_check_asks_for() -> None:
    """Every alert that is counted has the name that is counted, and the other way round."""
    group = yaml.safe_load((DEPLOY / "abort.rules.yaml").read_text(encoding="utf-8"))["groups"][0]
    recorded = [rule for rule in group["rules"] if "record" in rule]
    alerts = [rule["alert"] for rule in group["rules"] if "alert" in rule]
    assert [rule["record"] for rule in recorded] == [GOOD.split()[0]]
    assert recorded[0]["expr"].startswith('count(ALERTS{alertname=~"MagnetarChaosAbort.+", alertstate="firing"})')
    assert len(alerts) == 4
    assert all(alert.startswith("MagnetarChaosAbort") for alert in alerts)
    asked = {name for rule in group["rules"] for name in re.findall(r"\b(?:magnetar|shop)_[a-z_]+\b", rule["expr"])}
    assert asked - {metric.name for metric in CATALOGUE} == {"shop_money_difference_minor"}


@pytest.mark.parametrize(
    ("seconds", "told"), [(12, "12s"), (1.5, "1500ms"), (0.0004, "1ms"), (0.0, "1ms"), (3_600, "3600s")]
)
def test_spans(seconds: float, told: str) -> None:
    """Never nothing."""
    assert span(seconds) == told


DNS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
FEW = st.sampled_from(["a", "x-1", "broker", "kube-system", "default", "0"])
PLACES = st.builds(
    Place, labels=st.dictionaries(FEW, FEW, min_size=1), container=FEW, pods=FEW, volume=st.just("/data")
)
GROUNDS = st.builds(
    Ground,
    namespace=DNS,
    run=DNS,
    charts=st.builds(
        Charts,
        prometheus=st.just("http://prometheus:9090"),
        roles=st.fixed_dictionaries({role: PLACES for role in spec.ROLES if role != "control"}),
    ),
    seats=st.fixed_dictionaries(
        {part.partition("=")[0]: st.lists(FEW, min_size=3, max_size=3).map(tuple) for part in SEATS}
    ),
)
WHO = st.one_of(
    st.sampled_from(sorted(spec.ROLES.keys() - {"control"})).map(lambda role: Who.model_validate({"every": role})),
    st.integers(1, 9).map(lambda count: Who(every="bookie", count=count)),
    st.integers(1, 3).map(lambda count: Who(bookies_of="orders/o-17", count=count)),
    st.sampled_from(
        [
            Who(named=("broker-2", "broker-1")),
            Who(named=("store",)),
            Who(broker_of="orders/o-17"),
            Who(worker_of="orders/3"),
            Who(leader="zookeeper"),
        ]
    ),
)
TIMES = {
    "at": st.floats(0, 60),
    "lasts": st.floats(0, 60),
    "repeat": st.none() | st.builds(spec.Repeat, times=st.integers(1, 4), every=st.floats(0.1, 30)),
}
WAYS = st.sampled_from(["both", "there", "back"])
DEEDS = st.one_of(
    st.builds(spec.Kill, do=st.just("kill"), who=WHO, **TIMES),
    st.builds(spec.Isolate, do=st.just("isolate"), who=WHO, ways=WAYS, **TIMES),
    st.builds(spec.Cut, do=st.just("cut"), who=WHO, other=WHO, ways=WAYS, **TIMES),
    st.builds(spec.FillDisk, do=st.just("fill-disk"), who=WHO, **TIMES),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(DEEDS, min_size=1, max_size=5), GROUNDS)
def test_nothing_outside_is_selected_and_everything_ends(deeds: list[spec.Deed], on: Ground) -> None:
    """Every selector has the one namespace, every fault a deadline, and the whole the id of its run."""
    workflow = plain(staged(scenario(*[deed.model_dump(by_alias=True) for deed in deeds]), on).workflow)
    assert faults_of(workflow) == []
    assert workflow["metadata"]["namespace"] == on.namespace
    assert workflow["metadata"]["labels"][RUN] == on.run
    assert workflow["metadata"]["labels"][SCENARIO] == "X01"
    assert on.run in workflow["metadata"]["name"]
    found = list(selectors(workflow))
    assert all(each["namespaces"] == [on.namespace] for each in found)
    assert all(each.get("pods", {on.namespace: 0}).keys() == {on.namespace} for each in found)
    for each in templates(workflow).values():
        assert float(each["deadline"].removesuffix("s").removesuffix("m")) > 0
        struck = [each[kind] for kind in FAULTS if kind in each]
        assert all("selector" in fault and not fault.keys() & {"externalTargets", "remoteCluster"} for fault in struck)


@pytest.mark.parametrize(
    ("namespace", "run", "seats", "told"),
    [
        ("Staging", "r", [], "namespace: String should match"),
        ("a,b", "r", [], "namespace: String should match"),
        ("staging", "r 1", [], "run: String should match"),
        ("staging", "r" * 41, [], "run: String should have at most 40"),
        ("staging", "r", ["broker-of:orders/o-17"], "seats"),
        ("staging", "r", ["broker:orders/o-17=a"], "seats"),
        ("staging", "r", ["leader:zookeeper=a", "leader:zookeeper=b"], "a part has two --seat"),
    ],
)
def test_a_ground_that_cannot_be_is_refused(namespace: str, run: str, seats: list[str], told: str) -> None:
    """With the place of what is wrong."""
    with pytest.raises(GroundRefused, match=told):
        ground(namespace, run, charts(), seats)


@pytest.mark.parametrize("text", ["roles: [", "roles: {}", "prometheus: ftp://x\nroles: {}", "a: " + "b" * 100_000])
def test_charts_that_cannot_be_read_are_refused(text: str, tmp_path: Path) -> None:
    """With the file."""
    path = tmp_path / "own.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(GroundRefused, match=r"own\.yaml does not say where to play"):
        charts(path)


def test_the_manifests_in_the_repository_are_those_that_are_rendered(tmp_path: Path) -> None:
    """Made anew: `magnetar chaos render --namespace staging --run example --out deploy/chaos/rendered --seat …`."""
    options = [word for seat in SEATS for word in ("--seat", seat)]
    command = ["chaos", "render", "--namespace", "staging", "--run", "example", "--out", str(tmp_path), *options]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 1, done.output
    assert all(f"{name} cannot be played in staging" in done.stderr for name in REFUSED)
    kept = {path.name: path.read_text(encoding="utf-8") for path in (DEPLOY / "rendered").iterdir()}
    assert kept == {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}


def test_what_stays_is_in_force_until_all_should_have_recovered() -> None:
    """Beside what is healed before."""
    found = made(
        {"do": "isolate", "who": {"named": ["broker-1"]}, "for": 20},
        {"do": "isolate", "who": {"named": ["bookie-1"]}, "at": 10, "stays": True},
    )
    assert found["f1-t1-cut"]["deadline"] == "20s"
    assert found["f2-t1-cut"]["deadline"] == "70s"  # 20 s until the other is healed, and 60 s to recover, less 10 s


def test_one_scenario_goes_to_the_screen() -> None:
    """As YAML that can be piped on."""
    done = CliRunner().invoke(app, ["chaos", "render", "S04", "--namespace", "staging"])
    assert done.exit_code == 0, done.output
    assert yaml.safe_load(done.stdout)["metadata"]["labels"][SCENARIO] == "S04"
