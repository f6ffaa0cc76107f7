"""Which hosts are asked where a topic is: never one that stands still while another one answers (R32)."""

from __future__ import annotations

from itertools import cycle

from hypothesis import given
from hypothesis import strategies as st

from magnetar.runtime.bus.pulsar.hosts import Hearing, answering, hosts_of, url_of

HOSTS = st.lists(st.from_regex(r"[a-z]{1,5}:[0-9]{2,4}", fullmatch=True), min_size=1, max_size=5, unique=True)
TRIES = 8


def opened(hosts: tuple[str, ...], dead: frozenset[str]) -> list[bool]:
    """What becomes of openings, one after the other: the client asks two hosts in turn, or one when that is dead."""
    turn = cycle(hosts)
    return [next(turn) not in dead and next(turn) not in dead for _ in range(TRIES)]


@given(HOSTS, st.sampled_from(["pulsar", "pulsar+ssl"]))
def test_a_url_is_taken_apart_and_put_together(hosts: list[str], scheme: str) -> None:
    """What the settings say is what the client gets."""
    url = f"{scheme}://{','.join(hosts)}"
    assert hosts_of(url) == tuple(hosts)
    assert url_of(url, hosts_of(url)) == url


def test_what_is_written_twice_is_one_host() -> None:
    """And an empty one is none, as for the client."""
    assert hosts_of("pulsar://a:1,,b:2,a:1") == ("a:1", "b:2")
    assert hosts_of("a:1") == ("",)


@given(HOSTS, st.data())
def test_somebody_is_asked_and_nobody_silent(hosts: list[str], data: st.DataObject) -> None:
    """In the order of the settings; all of them when none answers."""
    silent = data.draw(st.sets(st.sampled_from(hosts)))
    asked = answering(tuple(hosts), silent)
    assert asked
    assert list(asked) == [host for host in hosts if host in asked]
    assert asked == tuple(hosts) or not set(asked) & silent
    assert set(asked) | silent == set(hosts)


@given(HOSTS, st.data())
def test_every_opening_succeeds_when_the_silent_are_left_out(hosts: list[str], data: st.DataObject) -> None:
    """As long as one is not."""
    silent = frozenset(data.draw(st.sets(st.sampled_from(hosts), max_size=len(hosts) - 1)))
    assert all(opened(answering(tuple(hosts), silent), silent))


def test_no_order_of_two_hosts_ever_opens_anything_while_one_is_dead() -> None:
    """Why nothing less helps than to leave it out."""
    for hosts in (("dead", "live"), ("live", "dead")):
        assert not any(opened(hosts, frozenset({"dead"})))


@given(st.lists(st.tuples(st.floats(0, 3), st.sampled_from(["ask", "good", "bad", "look"]))))
def test_one_is_silent_by_the_last_answer_or_by_none_for_too_long(events: list[tuple[float, str]]) -> None:
    """One question at a time; silence ends with a good answer only."""
    hearing, now = Hearing(), 0.0
    for after, event in events:
        before, now = hearing, now + after
        if event == "ask" and hearing.may_ask(now, 1.0):
            hearing = hearing.ask(now)
            assert hearing.open
            assert hearing.silent == before.silent
        elif event in {"good", "bad"}:
            hearing = hearing.hear(now, event == "good", 1.0)
            assert hearing.silent == (event == "bad" if before.open else before.silent)
            assert not hearing.open
        elif event == "look":
            hearing = hearing.hear(now, None, 1.0)
            late = before.open and before.asked is not None and now - before.asked > 1.0
            assert hearing.silent == (before.silent or late)
            assert hearing.open == before.open
