"""`magnetar dev`, as a newcomer uses it: run, send, break, mend, leave."""

from __future__ import annotations

import json
import signal
from pathlib import Path

from tests.acceptance.cli.program import Program, answer
from tests.acceptance.cli.shop_source import broken, hesitant, shop


def _write(folder: Path, source: str) -> None:
    (folder / "shop.py").write_text(source, encoding="utf-8")


def test_input_from_a_pipe_is_applied_before_it_ends(tmp_path: Path) -> None:
    """Every line is a message; each that is applied is one JSON line, and nothing else is on stdout."""
    _write(tmp_path, shop())
    status, out = answer(
        tmp_path, "dev", "shop:app", "--json", text='Place {"order_id": "o-1"}\nPlace {"order_id": "o-1"}\n'
    )
    events = [json.loads(line) for line in out.splitlines()]
    assert status == 0
    assert [event["event"] for event in events].count("applied") == 2
    assert events[-1]["state"]["value"] == {"status": "placed", "placed": 2}


def test_a_message_on_which_a_handler_raised_is_handled_by_the_mended_code(tmp_path: Path) -> None:
    """The error names the line of the app; the bus and the store live through the reload."""
    _write(tmp_path, shop())
    with Program(tmp_path, "dev", "shop:app", "--json") as dev:
        dev.event("started")
        dev.type('Place {"order_id": "o-1"}')
        dev.event("applied", key="o-1")
        _write(tmp_path, broken())
        dev.event("reloaded")
        dev.type('Place {"order_id": "o-1"}')
        failed = dev.event("failed", error="HandlerFailed")
        assert "AttributeError" in failed["message"]
        assert "shop.py:" in failed["where"][-1]
        assert "nothing_like_it" in failed["where"][-1]
        _write(tmp_path, shop())
        dev.event("reloaded")
        assert dev.event("applied")["state"]["value"] == {"status": "placed", "placed": 2}
        dev.end_of_input()
        assert dev.status() == 0


def test_what_a_handler_asks_to_wait_for_is_parked_and_goes_on(tmp_path: Path) -> None:
    """It means it: the session goes on, tells that the message waits, and then what it did."""
    _write(tmp_path, hesitant())
    with Program(tmp_path, "dev", "shop:app", "--json") as dev:
        dev.event("started")
        dev.type('Place {"order_id": "o-1"}')
        assert dev.event("applied", key="o-1")["message"]["disposition"] == "parked"
        told = dev.event("applied", key="o-1")
        assert (told["message"]["disposition"], told["state"]["value"]["placed"]) == ("applied", 1)
        dev.end_of_input()
        assert dev.status() == 0
        assert "not yet, in place (shop.py:" in dev.stderr


def test_code_that_cannot_be_imported_is_waited_for(tmp_path: Path) -> None:
    """A syntax error at the start, and what is typed meanwhile, do not end the session."""
    _write(tmp_path, shop() + "\ndef (\n")
    with Program(tmp_path, "dev", "shop:app", "--json") as dev:
        assert "SyntaxError" in dev.event("failed", error="AppBroken")["message"]
        dev.type('Place {"order_id": "o-1"}')
        assert "mend its code first" in dev.event("failed", error="BadInput")["message"]
        _write(tmp_path, shop())
        dev.event("reloaded")
        dev.type('Place {"order_id": "o-1"}')
        dev.event("applied", key="o-1")


def test_states_in_a_file_stay_for_the_next_session(tmp_path: Path) -> None:
    """The broker of a session is gone with its process; the next one's messages are new all the same."""
    _write(tmp_path, shop())
    line = 'Place {"order_id": "o-1"}\n'
    for lines, version in ((3 * line, 3), (line, 4), (2 * line, 6)):
        status, out = answer(tmp_path, "dev", "shop:app", "--store", "sqlite:///dev.db", "--json", text=lines)
        assert status == 0
        assert json.loads(out.splitlines()[-1])["message"]["version"] == version
    status, out = answer(tmp_path, "key", "show", "orders/o-1", "--store", "sqlite:///dev.db", "--json")
    assert json.loads(out)["state"]["value"] == {"status": "placed", "placed": 6}


def test_a_handler_that_raises_makes_a_pipe_end_with_one(tmp_path: Path) -> None:
    """And what was published and not applied is said to be gone."""
    _write(tmp_path, broken())
    status, _ = answer(tmp_path, "dev", "shop:app", "--json", text='Place {"order_id": "o-1"}\n')
    assert status == 1
    assert "1 message(s) were published and not applied" in (tmp_path / "stderr.txt").read_text(encoding="utf-8")


def test_people_read_what_a_message_did(tmp_path: Path) -> None:
    """Without --json: lines in words, and a key's state and story on demand."""
    _write(tmp_path, shop())
    lines = 'Place {"order_id": "o-1"}\nshow orders/o-1\ntimeline orders/o-1\nhelp\nPlaice {}\n'
    status, out = answer(tmp_path, "dev", "shop:app", text=lines)
    assert status == 1
    for said in (
        "orders/o-1  v1  Place",
        "arms Overdue in 60 min",
        'is now status="placed"  placed=1',
        "orders/o-1  version 1",
        "what it did",
        "TYPE JSON",
        "did you mean Place?",
    ):
        assert said in out


def test_ctrl_c_lets_go_in_order(tmp_path: Path) -> None:
    """Exit status 0, and the store's shards are released."""
    _write(tmp_path, shop())
    with Program(tmp_path, "dev", "shop:app", "--no-input", "--json", "--store", "sqlite:///dev.db") as dev:
        dev.event("started")
        dev.signal(signal.SIGINT)
        assert dev.status() == 0
    status, out = answer(tmp_path, "key", "show", "orders/o-1", "--store", "sqlite:///dev.db", "--json")
    assert (status, json.loads(out)["shard"]["owner"]) == (1, "")
