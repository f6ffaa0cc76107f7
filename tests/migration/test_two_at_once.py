"""Workers of two releases beside each other, on one broker and one store: a rolling update, and the way back.

Numbers are written into diaries all the while. In the end each diary has every number, once, in the order in which
they were written, and so has whoever reads it, through two more topics.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from magnetar.runtime.routing import partition_of
from tests.migration.crew import KEYS, Crew, Load, Worker
from tests.migration.diary import first, second

if TYPE_CHECKING:
    from magnetar.runtime import Client
    from magnetar.runtime.servers.pulsar import PulsarServer
    from tests.migration.releases import Code
    from tests.migration.story import Place


@pytest.fixture
def crew(tmp_path: Path, pulsar_server: PulsarServer, place: Place) -> Crew:
    """Nobody works yet, and there are no topics."""
    return Crew(tmp_path, pulsar_server, place, f"diary{uuid.uuid4().hex[:8]}")


@pytest.fixture
def shared(tmp_path: Path, pulsar_server: PulsarServer, place_of: Callable[[str], Place]) -> Crew:
    """The same with a store that several may use; of the releases none knows one yet."""
    return Crew(tmp_path, pulsar_server, place_of("postgresql"), f"diary{uuid.uuid4().hex[:8]}")


@pytest.mark.timeout(400)
def test_a_release_and_new_code_relieve_each_other_under_load(crew: Crew, old: Code, new: Code) -> None:
    """Each starts beside the other, which drains, or is killed; old, new, old again, new again."""
    crew.apply(first.APP)
    with crew.client() as client, Load(crew, client), crew.worker(old, "first") as before:
        crew.wait_for_owners(before)
        crew.wait_for_more(before)
        with crew.worker(new, "first") as after:
            crew.wait_for_all_up(before, after)
            before.leave()
            crew.wait_for_owners(after)
            crew.wait_for_more(after)
            with crew.worker(old, "first") as again:
                crew.wait_for_all_up(after, again)
                after.die()
                crew.wait_for_owners(again)
                crew.wait_for_more(again)
                with crew.worker(new, "first") as last:
                    again.die()
                    crew.wait_for_owners(last)
                    crew.wait_for_more(last)
    with crew.worker(new, "first") as last:
        crew.wait_for_all(last)


@pytest.mark.timeout(400)
def test_what_a_release_cannot_read_waits_for_new_code(crew: Crew, old: Code, new: Code) -> None:
    """Version 0.1.0 stops before a message that it has no reader for; whoever reads it goes on from there, in order."""
    crew.apply(second.APP)
    with crew.worker(old, "first") as before, crew.client(second.APP) as client:
        crew.wait_for_owners(before)
        crew.write(client)
        crew.wait_for_all(before)
        crew.correct(client, KEYS[0])
        crew.write(client, KEYS[0])
        crew.wait_for("end of the old worker", lambda: before.ended() is not None)
        assert before.ended() == 1
        assert "Correct" in before.said
        with crew.worker(new, "second") as after:
            crew.wait_for_all(after)


@pytest.mark.timeout(400)
def test_a_release_leaves_states_alone_that_newer_code_has_let_grow(crew: Crew, old: Code, new: Code) -> None:
    """Rolled back over a new generation (R16), it takes no shard of it, and works on what is of its own."""
    crew.apply(second.APP)
    with crew.client(second.APP) as client:
        with crew.worker(new, "third") as after:
            crew.wait_for_owners(after)
            crew.write(client)
            grown = crew.wait_for_all(after)
            after.leave()
        crew.place.rows("UPDATE shards SET contracts = 0 WHERE shard LIKE 'readers/%'")
        with crew.worker(old, "first") as before:
            crew.wait_for_all_up(before)
            crew.write(client)
            crew.read_aloud(client, before)
            assert crew.diaries() == grown
            before.die()
        with crew.worker(new, "third") as last:
            found = crew.wait_for_all(last)
    assert {key: each.counted for key, each in found.items()} == dict.fromkeys(KEYS, 2)


@pytest.mark.timeout(400)
def test_a_release_overtakes_nothing_that_waits(crew: Crew, old: Code, new: Code) -> None:
    """Version 0.1.0 knows nothing of parked keys: it leaves their shards to newer code, and goes on with the others."""
    crew.apply(second.APP)
    beside = [key for key in KEYS if _shard(key) == _shard(KEYS[0])]
    others = [key for key in KEYS if key not in beside]
    with crew.client(second.APP) as client:
        with crew.worker(new, "first") as before:
            crew.wait_for_owners(before)
            crew.write(client)
            crew.wait_for_all(before)
            crew.correct(client, KEYS[0])
            crew.wait_for("parked key", lambda: crew.parked() == [KEYS[0]], before)
            before.leave()
        waiting = {key: entry for key, entry in crew.diaries().items() if key in beside}
        with crew.worker(old, "first") as back:
            crew.wait_for_all_up(back)
            crew.write(client)
            crew.wait_for("the others", lambda: all(crew.diaries()[key].dried == len(crew.sent[key]) for key in others))
            assert {key: crew.diaries()[key] for key in beside} == waiting
            back.leave()
        with crew.worker(new, "second") as after:
            crew.wait_for_all(after)


@pytest.mark.timeout(400)
def test_two_releases_of_an_app_share_its_shards(shared: Crew, new: Code) -> None:
    """What one of them cannot read waits in its shards, in order, until the other has them; there and back again."""
    shared.apply(second.APP)
    with shared.client(second.APP) as client, shared.worker(new, "first") as one:
        shared.wait_for_owners(one)
        with shared.worker(new, "second") as other:
            shared.wait_for_owners(one, other)
            _corrected(shared, client, one, other)
            one.leave()
            shared.wait_for_all(other)
            with shared.worker(new, "first") as back:
                shared.wait_for_owners(other, back)
                _corrected(shared, client, other, back)
                other.leave()
                shared.wait_for_owners(back)
                shared.write(client)
                with shared.worker(new, "second") as last:
                    shared.wait_for_all_up(back, last)
                    back.leave()
                    shared.wait_for_all(last)


@pytest.mark.timeout(400)
def test_an_older_release_takes_no_shard_of_a_newer_generation(shared: Crew, new: Code) -> None:
    """What the newer one had is left alone while nobody else is there: no field of its states is dropped."""
    shared.apply(second.APP)
    with shared.client(second.APP) as client, shared.worker(new, "second") as older:
        shared.wait_for_owners(older)
        shared.write(client)
        shared.wait_for_all(older)
        with shared.worker(new, "third") as newer:
            shared.wait_for_all_up(older, newer)
            older.leave()
            shared.write(client)
            grown = shared.wait_for_all(newer)
            with shared.worker(new, "second") as back:
                shared.wait_for_all_up(newer, back)
                newer.die()
                shared.write(client)
                shared.wait_for("chance for the older", lambda: shared.outlived(back, newer, seconds=8), back)
                assert shared.diaries() == grown
            with shared.worker(new, "third") as last:
                found = shared.wait_for_all(last)
    assert {key: each.counted for key, each in found.items()} == dict.fromkeys(KEYS, 2)


def _shard(key: str) -> int:
    return partition_of(key, first.SHARDS)


def _corrected(crew: Crew, client: Client, *workers: Worker) -> None:
    """Numbers, and corrections of all of them between; some wait, as their shards are with who cannot read them."""
    crew.write(client)
    crew.correct(client, *KEYS)
    crew.write(client)
    crew.wait_for("fate of each correction", lambda: crew.corrected() | set(crew.parked()) == set(KEYS), *workers)
