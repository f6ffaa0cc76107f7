"""The guide on evolving contracts tells the truth: its table is the table of changes, its examples are real."""

from __future__ import annotations

import re
import sys
import tomllib
import types
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]

from magnetar.schemas import Kept, codec_for, gate
from magnetar.schemas.gate.settings import NEVER
from tests.acceptance.pages import BLOCK, ROOT, page, section, tables_of
from tests.unit.schemas.gate.test_changes import NAMES, Change

GUIDE = page("docs/guide/evolving-contracts.md")
CASE = re.compile(r"\[([a-z-]+)\]\(\S+/changes/([a-z-]+)/verdict\.toml\)")
ROWS = [row for row in tables_of(section(GUIDE, "Change")) if row[0] != "change"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_row_says_what_its_cases_show(row: list[str]) -> None:
    """Safe is what the gate allows; where it is not, the row says what to do."""
    cases = CASE.findall(row[3])
    assert cases
    for words, name in cases:
        assert words == name
        assert Change.read(name).verdict.verdict == {"yes": "allowed", "no": "refused"}[row[1]]
    assert row[1] == "yes" or row[2] != "nothing"


def test_every_case_has_its_row() -> None:
    """None is forgotten, none stands in two rows."""
    assert sorted(name for row in ROWS for _, name in CASE.findall(row[3])) == NAMES


def test_the_finding_that_is_shown_is_a_real_one(tmp_path: Path) -> None:
    """To the letter."""
    [found] = Change.read("decimal-scale-in-a-nested-record").findings(tmp_path)
    assert "avro/" + "\n".join(found.lines()) in GUIDE


def test_the_settings_that_are_shown_can_be_used(tmp_path: Path) -> None:
    """And do what they say; the rules that nobody is excused from are those of the code."""
    [text] = [body for language, body in BLOCK.findall(GUIDE) if language == "toml"]
    (tmp_path / "gate.toml").write_text(text, encoding="utf-8")
    settings = gate.load_settings(tmp_path)
    assert settings.mode_of("shop.Audit", "command") is gate.Mode.BACKWARD
    assert settings.is_retired("shop.Gift")
    assert settings.fields_retired("shop.Order") == {"$.note"}
    assert settings.is_handler_retired("orders", "shop.Overdue")
    assert settings.allows("money-double", "shop.Parcel", "$.total_weight")
    assert {mode.value for mode in gate.Mode} <= set(re.findall(r"[A-Z_]{4,}", text))
    excused = GUIDE.partition("Nobody is excused from")[2].partition("\n")[0]
    assert set(re.findall(r"`([a-z-]+)`", excused)) == NEVER


def test_the_upcast_that_is_shown_works() -> None:
    """As it stands there."""
    [text] = [body for language, body in BLOCK.findall(GUIDE) if language == "python"]
    module = types.ModuleType("customers")
    sys.modules["customers"] = module
    try:
        exec(compile(f"from __future__ import annotations\n{text}", "evolving-contracts.md", "exec"), module.__dict__)
    finally:
        del sys.modules["customers"]
    old, new = codec_for(module.Customer1), codec_for(module.Customer)
    data = old.encode(module.Customer1(name="Ada Lovelace"))
    assert new.decode(data, old.schema, Kept("customers", "c-1")) == module.Customer(first="Ada", last="Lovelace")


def test_the_hook_is_the_one_that_is_offered() -> None:
    """In the guide for any repository, in `.pre-commit-hooks.yaml` for those that refer to ours."""
    [text] = [body for language, body in BLOCK.findall(GUIDE) if language == "yaml"]
    [shown] = yaml.safe_load(text)["repos"][0]["hooks"]
    [offered] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert shown["entry"].startswith(offered["entry"])
    assert {key: shown[key] for key in ("id", "language", "pass_filenames", "files")} == {
        key: offered[key] for key in ("id", "language", "pass_filenames", "files")
    }
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    assert offered["entry"].split()[0] in scripts
    assert (Path(sys.executable).parent / "magnetar").exists()
