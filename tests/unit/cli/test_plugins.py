"""Plug-ins join the program, and a broken one is told and left out."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from types import ModuleType

import pytest
import typer

from magnetar.runtime.cli import plugins


def _point(monkeypatch: pytest.MonkeyPatch, value: object) -> EntryPoint:
    module = ModuleType("some_plugin")
    vars(module)["app"] = value
    monkeypatch.setitem(sys.modules, "some_plugin", module)
    return EntryPoint("some", "some_plugin:app", plugins.GROUP)


def _app() -> typer.Typer:
    app = typer.Typer()
    app.command("show")(lambda: None)
    return app


def test_a_plugins_commands_are_on_the_top_level(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands and groups, under their own names."""
    plugin = typer.Typer()
    plugin.command("demo")(lambda: None)
    plugin.add_typer(_app(), name="order")
    app, warnings = _app(), list[str]()
    plugins.join(app, [_point(monkeypatch, plugin)], warnings.append)
    assert plugins.names(app) == {"show", "demo", "order"}
    assert warnings == []


@pytest.mark.parametrize(
    ("value", "said"),
    [(42, "it is a int, not a typer.Typer"), (_app(), "Magnetar has show itself")],
    ids=["no app", "a name that is taken"],
)
def test_a_wrong_plugin_is_left_out(monkeypatch: pytest.MonkeyPatch, value: object, said: str) -> None:
    """It never replaces a command of ours."""
    app, warnings = _app(), list[str]()
    plugins.join(app, [_point(monkeypatch, value)], warnings.append)
    assert plugins.names(app) == {"show"}
    assert len(app.registered_groups) == 0
    assert said in warnings[0]


def test_a_plugin_that_cannot_be_imported_is_left_out() -> None:
    """Whatever it raises, the program goes on, and the next plug-in has its turn."""
    app, warnings = _app(), list[str]()
    plugins.join(app, [EntryPoint("bad", "no_such_plugin:app", plugins.GROUP)], warnings.append)
    assert "plug-in bad (no_such_plugin:app) is left out: loading it raised ModuleNotFoundError" in warnings[0]
