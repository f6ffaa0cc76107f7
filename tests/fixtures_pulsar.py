"""One real Pulsar for all tests of a process: the fixture `pulsar_server`; more of them are `thrown_away` in the end.

It is fetched after the tests are collected, so that a first download counts against no test's time.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from magnetar.runtime.servers.cluster import ClusterPlan
from magnetar.runtime.servers.cluster.classes import class_archive
from magnetar.runtime.servers.distribution import pinned_pulsar
from magnetar.runtime.servers.errors import ServerError
from magnetar.runtime.servers.installation import install
from magnetar.runtime.servers.java import find_java
from magnetar.runtime.servers.maven import fetch_from_maven
from magnetar.runtime.servers.places import Places
from magnetar.runtime.servers.pulsar import PulsarPlan, PulsarServer

Installed = tuple[Path, str]
_FETCHED = pytest.StashKey[Installed | ServerError]()
_CLASSES = pytest.StashKey[Path | None]()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Fetch the server now if any collected test wants one."""
    if session.config.option.collectonly:
        return
    if any("pulsar_home" in getattr(item, "fixturenames", ()) for item in session.items):
        session.config.stash[_FETCHED] = _fetch()
    if any("cluster_plan" in getattr(item, "fixturenames", ()) for item in session.items):
        session.config.stash[_CLASSES] = _make_classes(session.config.stash[_FETCHED])


def _fetch() -> Installed | ServerError:
    distribution = pinned_pulsar()
    try:
        cache = Places.of(os.environ, Path.home()).cache
        return install(distribution, cache, fetch_from_maven), distribution.version
    except ServerError as problem:
        return problem


def _make_classes(fetched: Installed | ServerError) -> Path | None:
    """For as long as it takes: half a minute on a machine that has none yet."""
    if isinstance(fetched, ServerError):
        return None
    try:
        return class_archive(
            find_java(os.environ.get("JAVA_HOME")), fetched[0], Places.of(os.environ, Path.home()).cache
        )
    except ServerError:
        return None  # whoever needs a Java says so


@pytest.fixture(scope="session")
def pulsar_home(pytestconfig: pytest.Config) -> Installed:
    """The unpacked distribution and its version; skips, with the reason, where it cannot be had."""
    fetched = pytestconfig.stash[_FETCHED]
    if isinstance(fetched, ServerError):
        pytest.skip(f"no Pulsar: {fetched}")
    return fetched


@pytest.fixture(scope="session")
def pulsar_plan(pulsar_home: Installed, tmp_path_factory: pytest.TempPathFactory) -> PulsarPlan:
    """How to start a server of one's own: take it with another `data`."""
    home, version = pulsar_home
    try:
        java = find_java(os.environ.get("JAVA_HOME"))
    except ServerError as problem:
        pytest.skip(f"no Pulsar: {problem}")
    return PulsarPlan(home=home, java=java, data=tmp_path_factory.mktemp("pulsar"), version=version)


@pytest.fixture(scope="session")
def cluster_plan(
    pulsar_plan: PulsarPlan, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> ClusterPlan:
    """How to start a cluster of one's own: take it with another `data`."""
    return ClusterPlan(
        home=pulsar_plan.home,
        java=pulsar_plan.java,
        data=tmp_path_factory.mktemp("cluster"),
        version=pulsar_plan.version,
        classes=pytestconfig.stash[_CLASSES],
    )


@contextmanager
def thrown_away(plan: PulsarPlan) -> Generator[PulsarServer]:
    """A ready server for the block. In the end it is killed: an orderly stop is for data that somebody wants."""
    server = PulsarServer(plan)
    server.start()
    try:
        yield server
    finally:
        server.kill()


@pytest.fixture(scope="session")
def pulsar_server(pulsar_plan: PulsarPlan) -> Generator[PulsarServer]:
    """A ready Pulsar for all tests that only use it: each takes topics or namespaces of its own, none stops it."""
    server = PulsarServer(pulsar_plan)
    try:
        server.start()
    except ServerError as problem:
        pytest.skip(f"no Pulsar: {problem}")
    yield server
    server.kill()
