"""The scripts of `deploy/chaos`, against a stand-in of a cluster that keeps what was created until it is deleted."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]

DEPLOY = Path(__file__).parents[3] / "deploy/chaos"
SCRIPTS = DEPLOY / "scripts"
KUBECTL = """#!/bin/sh
case "$*" in
"get namespace staging"*) printf %s "$ANNOTATION" ;;
*--dry-run=client*StatusCheck*) printf %s "$URL" ;;
*--dry-run=client*metadata.namespace*) printf %s "$MEANT" ;;
*--dry-run=client*/run*) printf r-1 ;;
*--dry-run=client*metadata.name*) printf magnetar-s04-r-1 ;;
"get workflows.chaos-mesh.org,"*) cat "$STATE/workflow" "$STATE/left" 2>/dev/null || true ;;
"get pods"*) printf %s "$PODS" ;;
"create -n staging"*) touch "$STATE/workflow" "$STATE/seen" ;;
wait*) exit "$WAITED" ;;
"delete workflows"*"-l magnetar.io/run"*) rm -f "$STATE/workflow" ;;
*abort*) printf %s "$ABORTED" ;;
"get podchaos,"*) cat "$STATE/left" 2>/dev/null || true ;;
*) echo "not foreseen: $*" >&2; exit 64 ;;
esac
"""
CURL = '#!/bin/sh\nexit "$CURLED"\n'
STEADY = {
    "NAMESPACE": "staging",
    "ANNOTATION": "enabled",
    "MEANT": "staging",
    "PODS": "pulsar-broker-0=True pulsar-broker-1=True ",
    "URL": "http://prometheus",
    "CURLED": "0",
    "WAITED": "0",
    "ABORTED": "",
}


@dataclass
class Cluster:
    """A stand-in; `state` is what is in it."""

    state: Path
    programs: Path

    def run(self, script: str, *words: str, **other: str) -> subprocess.CompletedProcess[str]:
        """A script, where all is steady but for what is said."""
        environment = STEADY | other | {"STATE": str(self.state), "PATH": f"{self.programs}:/usr/bin:/bin"}
        command = ["sh", str(SCRIPTS / script), *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    def has(self, what: str) -> bool:
        """Whether it is there."""
        return (self.state / what).exists()


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    """One in which nothing is struck."""
    found = Cluster(tmp_path / "state", tmp_path / "bin")
    found.state.mkdir()
    found.programs.mkdir()
    for name, text in {"kubectl": KUBECTL, "curl": CURL}.items():
        (found.programs / name).write_text(text, encoding="utf-8")
        (found.programs / name).chmod(0o755)
    return found


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"ANNOTATION": ""}, "namespace staging is not annotated"),
        ({"ANNOTATION": "disabled"}, "namespace staging is not annotated"),
        ({"MEANT": "production"}, "is for namespace production"),
        ({"PODS": "pulsar-broker-0=True pulsar-broker-1=False "}, "pod pulsar-broker-1 is not ready"),
        ({"PODS": "pulsar-broker-0= "}, "pod pulsar-broker-0 is not ready"),
        ({"PODS": ""}, "there is no pod"),
        ({"URL": ""}, "has no abort rule"),
        ({"CURLED": "22"}, "the abort rule would end it at once"),
    ],
)
def test_nothing_is_struck_where_it_must_not(cluster: Cluster, other: dict[str, str], told: str) -> None:
    """Refused, with why; nothing was created."""
    done = cluster.run("strike.sh", "S04.yaml", **other)
    assert (done.returncode, cluster.has("seen")) == (1, False)
    assert f"refused: {told}" in done.stderr or (told in done.stderr and "refused: " in done.stderr)


def test_nothing_is_struck_beside_other_chaos(cluster: Cluster) -> None:
    """Whoever's it is."""
    (cluster.state / "left").write_text("podchaos.chaos-mesh.org/other\n", encoding="utf-8")
    done = cluster.run("strike.sh", "S04.yaml")
    assert (done.returncode, cluster.has("seen")) == (1, False)
    assert "chaos is there already; see to it first: podchaos.chaos-mesh.org/other" in done.stderr


def test_a_run_that_ends_leaves_nothing(cluster: Cluster) -> None:
    """It was struck, and is gone."""
    done = cluster.run("strike.sh", "S04.yaml")
    assert done.returncode == 0, done.stderr
    assert "played: magnetar-s04-r-1" in done.stdout
    assert (cluster.has("seen"), cluster.has("workflow")) == (True, False)


@pytest.mark.parametrize("other", [{"WAITED": "1"}, {"ABORTED": "true"}])
def test_a_run_that_fails_is_healed_as_well(cluster: Cluster, other: dict[str, str]) -> None:
    """One that takes too long, and one that was aborted: status 1, and nothing is left."""
    done = cluster.run("strike.sh", "S04.yaml", **other)
    assert (done.returncode, cluster.has("seen"), cluster.has("workflow")) == (1, True, False)


@pytest.mark.parametrize(
    ("chosen", "run", "status"),
    [("r-1", "r-1", 1), ("r-1", "r-2", 0), ("--all", "r-1", 1), ("--all", "r-2", 1)],
)
def test_what_is_not_healed_is_told(cluster: Cluster, chosen: str, run: str, status: int) -> None:
    """The workflow is gone, and one of its faults is not: nobody may believe that all is well."""
    (cluster.state / "left").write_text(f"NetworkChaos/f1-t1-cut=magnetar-s12-{run} ", encoding="utf-8")
    done = cluster.run("kill-switch.sh", chosen)
    assert done.returncode == status
    assert ("still in force: NetworkChaos/f1-t1-cut" in done.stderr) is bool(status)


def test_faults_of_others_are_not_ours(cluster: Cluster) -> None:
    """Somebody's own, without a workflow."""
    (cluster.state / "left").write_text("PodChaos/theirs= ", encoding="utf-8")
    assert cluster.run("kill-switch.sh", "--all").returncode == 0


def test_the_kill_switch_wants_to_know_which(cluster: Cluster) -> None:
    """Without a run it does nothing."""
    assert cluster.run("kill-switch.sh").returncode != 0


def test_whoever_strikes_can_do_nothing_else() -> None:
    """A role of one namespace, that writes nothing but the resources of Chaos Mesh, and sees no secret."""
    documents = list(yaml.safe_load_all((DEPLOY / "rbac.yaml").read_text(encoding="utf-8")))
    assert {each["kind"] for each in documents} == {"ServiceAccount", "Role", "RoleBinding"}
    for rule in next(each for each in documents if each["kind"] == "Role")["rules"]:
        assert not {"*", "secrets", "pods/exec"} & {*rule["resources"], *rule["verbs"], *rule["apiGroups"]}
        if rule["apiGroups"] != ["chaos-mesh.org"]:
            assert {*rule["verbs"]} <= {"get", "list", "watch"}


def test_the_runner_never_strikes_twice() -> None:
    """Whether the first time has struck is not known when it failed."""
    job = yaml.safe_load((DEPLOY / "runner.yaml").read_text(encoding="utf-8"))
    assert job["spec"]["backoffLimit"] == 0
    assert job["spec"]["template"]["spec"]["restartPolicy"] == "Never"
    assert job["spec"]["template"]["spec"]["serviceAccountName"] == "magnetar-chaos"
