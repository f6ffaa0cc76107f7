"""What users install: the built wheel holds four portions, all their data, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PORTIONS = ("actors", "chaos", "runtime", "schemas")
ENTRY_POINTS = "import importlib.metadata as m; print(*sorted(e.name for e in m.distribution('magnetar').entry_points))"


def _run(*command: str, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}{done.stderr}"
    return done.stdout


def _sources() -> set[str]:
    """Every file of the portions, by the path it must have once installed."""
    return {
        path.relative_to(ROOT / portion).as_posix()
        for portion in PORTIONS
        for path in (ROOT / portion / "magnetar").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built by the installed hatchling without any network."""
    folder = tmp_path_factory.mktemp("wheel")
    _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder), cwd=ROOT)
    (built,) = folder.glob("magnetar-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a new environment with the wheel in it.

    The dependencies are lent by a path entry, which brings no `.pth` file of theirs with it: the editable install of
    this very project is not seen, and nothing is downloaded.
    """
    folder = tmp_path_factory.mktemp("installed")
    _run(sys.executable, "-m", "venv", "--without-pip", str(folder), cwd=folder)
    python = folder / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check")
    _run(*pip, "install", "--quiet", "--no-index", "--no-deps", str(wheel), cwd=folder)
    packages = _run(str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip()
    Path(packages, "lent.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return python


def test_the_namespace_has_no_init() -> None:
    """A `magnetar/__init__.py` in one portion would hide the others."""
    assert list(ROOT.glob("*/magnetar/__init__.py")) == []


def test_every_portion_is_marked_as_typed() -> None:
    """Checkers read our types only where `py.typed` stands."""
    assert [p for p in PORTIONS if not (ROOT / p / "magnetar" / p / "py.typed").is_file()] == []


def test_every_folder_with_code_is_a_package() -> None:
    """A folder without `__init__.py` would be a namespace by accident, and open to strangers."""
    folders = {path.parent for p in PORTIONS for path in (ROOT / p / "magnetar" / p).rglob("*.py")}
    assert [folder for folder in sorted(folders) if not (folder / "__init__.py").is_file()] == []


def test_the_wheel_holds_the_sources_and_nothing_else(wheel: Path) -> None:
    """Code, `.avsc`, `.sql` and `py.typed` are all in; tests, tools and notes are out."""
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert names == _sources()


def test_the_wheel_imports_from_where_it_was_installed(installed: Path, tmp_path: Path) -> None:
    """All four portions import in a new environment, none of them from this work tree."""
    imports = "; ".join(f"import magnetar.{p} as {p}; print({p}.__file__)" for p in PORTIONS)
    files = _run(str(installed), "-c", imports, cwd=tmp_path).splitlines()
    home = installed.parent.parent
    assert [Path(file).is_relative_to(home) for file in files] == [True] * len(PORTIONS), files


def test_the_wheel_brings_its_types(installed: Path, tmp_path: Path) -> None:
    """A user's strict mypy finds the types of what is installed, with no setting and no source of ours on its path."""
    probe = ROOT / "tests" / "typing" / "accepts.py"
    _run(
        *(sys.executable, "-m", "mypy", "--strict", "--config-file", "", "--cache-dir", str(tmp_path / "cache")),
        *("--python-executable", str(installed), str(probe)),
        cwd=tmp_path,
    )


def test_the_wheel_brings_its_commands(installed: Path, tmp_path: Path) -> None:
    """The script and the plug-ins of chaos and of the actors are declared, and the script is there."""
    assert _run(str(installed), "-c", ENTRY_POINTS, cwd=tmp_path).split() == ["chaos", "magnetar", "shop"]
    assert (installed.parent / "magnetar").is_file()
