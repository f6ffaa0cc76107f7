"""The page that documents the commands is what their `--help` says."""

from __future__ import annotations

from pathlib import Path

from typer.main import get_group

from magnetar.runtime.cli import program, reference
from magnetar.runtime.cli.exits import MEANINGS, Exit

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "cli.md"


def test_the_page_is_what_the_commands_say() -> None:
    """Whoever changes a help text or an option makes the page anew: `magnetar reference > docs/reference/cli.md`."""
    warnings: list[str] = []
    made = reference.markdown(get_group(program.assembled(warnings.append)))
    assert warnings == []
    assert PAGE.read_text(encoding="utf-8") == made


def test_every_exit_status_has_a_meaning() -> None:
    """And no status is without one."""
    assert set(MEANINGS) == set(Exit)


def test_paragraphs_are_one_line_and_examples_stay() -> None:
    """So that any terminal can break them."""
    assert reference.unwrapped("One\ntwo.\n\nThree\nfour.\n\n    $ a\n    $ b\n") == (
        "One two.\n\nThree four.\n\n    $ a\n    $ b"
    )
