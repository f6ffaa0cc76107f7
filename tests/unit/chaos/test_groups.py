"""Which control groups share out processors on a machine, and what is written to them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magnetar.chaos.cluster.errors import LimitsMissing
from magnetar.chaos.cluster.groups import Hierarchy, hierarchy

TREE = Path("/sys/fs/cgroup")
OLD = "4:memory:/a/b\n2:cpu,cpuacct:/user\n1:name=systemd:/\n0::/elsewhere\n"
NEW = "0::/user.slice/session-1.scope\n"


def test_the_old_tree_is_taken_where_it_shares_out_processors(tmp_path: Path) -> None:
    """Where we are in that tree, not in another one."""
    (tmp_path / "cpu").mkdir()
    assert hierarchy(tmp_path, OLD) == Hierarchy(1, tmp_path / "cpu", tmp_path / "cpu" / "user")


def test_the_new_tree_is_taken_where_it_does(tmp_path: Path) -> None:
    """By what its root says."""
    (tmp_path / "cgroup.controllers").write_text("cpuset cpu io memory pids\n")
    ours = tmp_path / "user.slice" / "session-1.scope"
    assert hierarchy(tmp_path, NEW) == Hierarchy(2, tmp_path, ours)


@pytest.mark.parametrize(("own", "controllers"), [(OLD, ""), (NEW, "cpuset io\n"), (NEW, None)])
def test_where_none_does_it_is_told(tmp_path: Path, own: str, controllers: str | None) -> None:
    """A tree of something else is none."""
    if controllers is not None:
        (tmp_path / "cgroup.controllers").write_text(controllers)
    with pytest.raises(LimitsMissing, match=r"nobody can be held back: no tree of control groups in .* be root"):
        hierarchy(tmp_path, own)


@given(st.floats(0.01, 1), st.sampled_from([1, 2]))
def test_a_share_is_of_one_processor(share: float, version: int) -> None:
    """In a tenth of a second."""
    file, words = Hierarchy(version, *[TREE] * 2).limit(share)
    quota = int(words.split()[0])
    assert file == {1: "cpu.cfs_quota_us", 2: "cpu.max"}[version]
    assert words.split()[1:] == ([] if version == 1 else ["100000"])
    assert quota >= 1_000  # the least that the kernel takes
    assert abs(quota - share * 100_000) <= 0.5
