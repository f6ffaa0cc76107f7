"""On a fresh machine servers are fetched before an enclosure is entered: from in there no other network is reached."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import pytest

from magnetar.chaos.cluster import enclosure
from magnetar.chaos.playing.leading import lead
from magnetar.chaos.takeover.telling import main
from magnetar.runtime.cli import server_plans
from magnetar.runtime.servers.errors import DownloadBroken

if TYPE_CHECKING:
    from pathlib import Path

UNABLE = 4


@pytest.fixture(autouse=True)
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that could enter one, has fetched nothing, and whose network is down."""

    def unreachable(*_: object) -> NoReturn:
        raise DownloadBroken("pulsar", "nobody answers")

    def entered(*_: object) -> NoReturn:
        pytest.fail("it has gone inside without servers")

    monkeypatch.setenv("MAGNETAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(server_plans, "fetch_from_maven", unreachable)
    monkeypatch.setattr(enclosure, "why_not", lambda: "")
    monkeypatch.setattr(enclosure, "enter", entered)


def test_before_a_scenario_is_played(tmp_path: Path) -> None:
    """Nothing has been started, and no folder made."""
    with pytest.raises(DownloadBroken, match="nobody answers"):
        next(lead(["S03"], 1, tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_before_the_takeover_report_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Told as whatever else keeps it from being made."""
    assert main(["--out", str(tmp_path / "out")]) == UNABLE
    assert "error: pulsar could not be downloaded: nobody answers" in capsys.readouterr().out
