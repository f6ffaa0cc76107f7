"""The pages that people read, as the tests read them: blocks as files, tables as cells, names of tests as functions."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(\S*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NAMED = re.compile(r"# (\w+\.py)(, continued)?\n")
LINK = re.compile(r"\]\(([^)\s#]+)(?:#[^)]*)?\)")
TEST_LINK = re.compile(r"\[([a-z0-9][a-z0-9_ ]+)\]\(([^)]*tests/[^)]+\.py)\)")
TEST_NAME = re.compile(r"`(test_\w+)`")


def page(name: str) -> str:
    """A page of the repository, by its path from the root."""
    return (ROOT / name).read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """What stands under a heading of the second level that begins so, up to the next one."""
    return text.partition(f"\n## {heading}")[2].partition("\n## ")[0]


def pages() -> list[Path]:
    """Every page that is ours to keep true."""
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def files_of(text: str) -> dict[str, str]:
    """The files that a page tells its reader to write: each Python block names its file in the first line.

    A block that says `continued` is added to the end of the file, any other replaces it.
    """
    files: dict[str, str] = {}
    for language, body in BLOCK.findall(text):
        if language != "python":
            continue
        named = NAMED.match(body)
        assert named, f"a Python block does not name its file in its first line:\n{body}"
        name, continued = named.groups()
        code = body[named.end() :]
        files[name] = f"{files[name].rstrip()}\n\n\n{code.lstrip()}" if continued else code
    return files


def written(folder: Path, files: dict[str, str]) -> Path:
    """The folder, with the files in it."""
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def suite(folder: Path) -> subprocess.CompletedProcess[str]:
    """What a reader sees who runs pytest there."""
    options = ("-q", "-p", "no:cacheprovider", "-p", "no:randomly", "--tb=short")
    return tool(folder, "pytest", *options)


def tool(folder: Path, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A Python tool, run in a folder that knows nothing of this repository's settings."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PYTHON"))}
    # A file changed twice within a second keeps its time stamp, and with the same size its stale bytecode would run.
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    command = (sys.executable, "-m", module, *arguments)
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=110, check=False
    )


def function_of(words: str) -> str:
    """The name of the test that a link tells in words: they wrap in a narrow table, and names do not."""
    return f"test_{words.replace(' ', '_')}"


def functions_of(path: Path) -> set[str]:
    """The functions and methods that a module defines."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def tables_of(text: str) -> list[list[str]]:
    """The rows of all tables of a page, as cells, without heads and rulers."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return [row for row in rows if set(row[0]) - set("-| :")]
