"""Apps by name, places by URL."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from magnetar.runtime.compose import places
from magnetar.runtime.compose.errors import AppNotFound, UnknownPlace
from magnetar.runtime.compose.loading import load_app
from magnetar.runtime.compose.places import EmbeddedBus, PulsarPlace, bus_place, store_place, wanted_of, without_secret
from magnetar.runtime.compose.settings import Settings
from magnetar.runtime.store.postgres import PostgresPlace
from magnetar.runtime.store.sqlite import SqliteFile, SqliteMemory
from tests.unit.compose.counting import counting


def test_an_app_is_found_by_module_and_name() -> None:
    """The very object."""
    assert load_app("tests.unit.compose.counting:counting") is counting


def test_an_actor_is_an_app_of_its_own() -> None:
    """For the first minutes with one actor."""
    app = load_app("tests.unit.compose.counting:counters")
    assert (app.name, [actor.name for actor in app.actors]) == ("counters", ["counters"])


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("shop", "write module:NAME"),
        (":app", "write module:NAME"),
        ("shop:", "write module:NAME"),
        ("no_such_module_here:app", "there is no module 'no_such_module_here'"),
        ("tests.no_such:app", "there is no module 'tests.no_such'"),
        ("tests.unit.compose.counting:missing", "'missing' in tests.unit.compose.counting is NoneType, not an App"),
        ("tests.unit.compose.counting:number", "is int, not an App; write number = App"),
    ],
)
def test_what_names_no_app_is_told(target: str, says: str) -> None:
    """With what to write instead."""
    with pytest.raises(AppNotFound, match=says):
        load_app(target)


@pytest.mark.parametrize(
    ("text", "error"), [("import no_such_thing", ModuleNotFoundError), ("1 / 0", ZeroDivisionError)]
)
def test_a_modules_own_error_comes_through(
    text: str, error: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the user's to mend, with its own traceback; the working folder is importable."""
    (tmp_path / "my_broken_app.py").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    with pytest.raises(error):
        load_app("my_broken_app:app")


def test_a_bus_is_named_by_its_url() -> None:
    """In this process, or a Pulsar."""
    assert isinstance(bus_place("memory:", "shop"), EmbeddedBus)
    place = bus_place("pulsar://host:6650", "shop")
    assert isinstance(place, PulsarPlace)
    assert (place.settings.service_url, place.settings.application) == ("pulsar://host:6650", "shop")
    assert isinstance(bus_place("pulsar+ssl://host:6651", "shop"), PulsarPlace)


@pytest.mark.parametrize(("admin", "lacks"), [(None, "set MAGNETAR_ADMIN"), ("http://host:8080", "magnetar[admin]")])
def test_a_worker_needs_the_rest_api(monkeypatch: pytest.MonkeyPatch, admin: str | None, lacks: str) -> None:
    """R11: without its word an older store would cost messages. Whoever only sends does not ask it."""
    monkeypatch.setattr(places, "find_spec", dict[str, object]().get)
    place = bus_place("pulsar://127.0.0.1:1", "shop", admin=admin)
    with pytest.raises(UnknownPlace, match=re.escape(lacks)):
        place.connect_worker("w")
    place.connect("web").close()


def test_a_store_is_named_by_its_url() -> None:
    """In memory, or a file by a relative or an absolute path."""
    assert isinstance(store_place("memory:"), SqliteMemory)
    for url, path in (("sqlite:///shop.db", "shop.db"), ("sqlite:////var/shop.db", "/var/shop.db")):
        place = store_place(url)
        assert isinstance(place, SqliteFile)
        assert place.path == Path(path)


def test_a_postgres_place_is_named_without_its_secrets() -> None:
    """Both spellings of the scheme; nothing is asked of the server yet."""
    for scheme in ("postgresql", "postgres"):
        place = store_place(f"{scheme}://me:hush@db.example:5433/shop?sslmode=require")
        assert isinstance(place, PostgresPlace)
        assert repr(place) == "PostgresPlace(postgresql://db.example:5433/shop)"


def test_a_url_is_shown_without_what_may_be_a_password() -> None:
    """On screens and in logs: where it is, not who we are."""
    assert without_secret("postgresql://me:hush@db:5433/shop") == "postgresql://…@db:5433/shop"
    assert without_secret("sqlite:///shop.db") == "sqlite:///shop.db"


@pytest.mark.parametrize("url", ["", "kafka://host", "memory", "pulsar:host", "sqlite:"])
def test_an_unknown_bus_is_told(url: str) -> None:
    """With the ones there are."""
    with pytest.raises(UnknownPlace, match="use memory: or pulsar://host:6650"):
        bus_place(url, "shop")


@pytest.mark.parametrize("url", ["", "mysql://host", "sqlite://", "sqlite:///", "memory"])
def test_an_unknown_store_is_told(url: str) -> None:
    """With the ones there are."""
    with pytest.raises(UnknownPlace, match=r"use memory:, sqlite:///.* or postgresql://"):
        store_place(url)


def test_an_app_wants_its_topics_of_the_cluster() -> None:
    """With partitions, schema and subscriptions."""
    topic, *letters = wanted_of(counting.wire()).topics
    assert (topic.name, topic.partitions, tuple(topic.subscriptions)) == ("counters", 2, ("magnetar-counters",))
    assert topic.schema == counting.wire().topics["counters"].codec.schema.text
    *retries, dead = letters
    assert {(each.partitions, each.schema, each.subscriptions) for each in retries} == {
        (2, None, ("magnetar-counters",))
    }
    assert (dead.name, dead.partitions, dead.schema, dead.subscriptions) == (
        "counters-magnetar-counters-DLQ",
        2,
        None,
        (),
    )


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """From `MAGNETAR_…`, and they are frozen."""
    monkeypatch.setenv("MAGNETAR_STORE", "memory:")
    settings = Settings()
    assert settings.store == "memory:"
    with pytest.raises(ValueError, match="frozen"):
        settings.store = "other"
