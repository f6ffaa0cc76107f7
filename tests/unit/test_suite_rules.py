"""The suite's own rules, tried on small suites: what is skipped on a developer's machine fails in CI."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.dividing import LONG, turn_of

CONFTEST = Path(__file__).parent.parent / "conftest.py"
SKIPS = {
    "test_in_the_test.py": "import pytest\n\ndef test() -> None:\n    pytest.skip('no server')\n",
    "test_in_a_fixture.py": (
        "import pytest\n\n@pytest.fixture\ndef server() -> None:\n    pytest.skip('no server')\n\n"
        "def test(server: None) -> None: ...\n"
    ),
    "test_by_a_mark.py": "import pytest\n\n@pytest.mark.skip(reason='no server')\ndef test() -> None: ...\n",
    "test_as_a_file.py": "import pytest\n\npytest.skip('no server', allow_module_level=True)\n",
}
EXPECTED_FAILURE = "import pytest\n\n@pytest.mark.xfail\ndef test() -> None:\n    assert False\n"
DRAWS = "def test(chance) -> None:\n    drawn = chance.random()\n    assert drawn is None\n"


PROCESSES = pytest.mark.parametrize("processes", [0, 2])


def _suite(folder: Path, files: dict[str, str], *, ci: str, processes: int = 0) -> str:
    """What pytest prints on a suite of these files and our `conftest.py`."""
    shutil.copy(CONFTEST, folder / "conftest.py")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-rs", "--continue-on-collection-errors", "--randomly-seed=7"]
    command += ["--numprocesses", str(processes)]
    environment = os.environ | {"CI": ci, "PYTHONPATH": str(CONFTEST.parent.parent)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout


@PROCESSES
def test_in_ci_a_skip_fails(processes: int, tmp_path: Path) -> None:
    """However a test is skipped, in CI the run is red and says why; an expected failure is no skip."""
    printed = _suite(tmp_path, SKIPS | {"test_expected.py": EXPECTED_FAILURE}, ci="true", processes=processes)
    assert "1 failed, 1 xfailed, 3 errors" in printed
    assert printed.count("Nothing may be skipped in CI. Skipped: no server") == len(SKIPS)


def test_elsewhere_a_skip_is_a_skip(tmp_path: Path) -> None:
    """On a developer's machine the reason is told and nothing fails."""
    printed = _suite(tmp_path, SKIPS, ci="")
    assert f"{len(SKIPS)} skipped in" in printed
    assert printed.count("no server") == len(SKIPS)


@PROCESSES
def test_a_failure_shows_its_seed_and_repeats(processes: int, tmp_path: Path) -> None:
    """Randomness comes from the run's seed, which a failure prints; in any process the same seed draws the same."""
    first, second = (_suite(tmp_path, {"test_draws.py": DRAWS}, ci="", processes=each) for each in (0, processes))
    drawn = [[line for line in printed.splitlines() if line.startswith("E ")] for printed in (first, second)]
    assert "pytest --randomly-seed=7 'test_draws.py::test'" in second
    assert drawn[0] == drawn[1] != []


def test_what_takes_long_is_dealt_out_first() -> None:
    """The files that are said to take long are there, and all others come after them."""
    suite = CONFTEST.parent
    assert [name for name in LONG if not (suite / name).is_file()] == []
    files = sorted(suite.rglob("test_*.py"), key=lambda path: turn_of(path, suite))
    assert [path.relative_to(suite).as_posix() for path in files[: len(LONG)]] == list(LONG)
    assert turn_of(Path("/elsewhere/test_it.py"), suite) == len(LONG)
