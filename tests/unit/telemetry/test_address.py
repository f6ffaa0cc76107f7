"""Addresses to listen on: what operators write is understood, or told what would do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magnetar.runtime.telemetry.address import MOST, Address

hosts = st.ip_addresses().map(str) | st.sampled_from(["localhost", "worker-0.workers.shop.svc", "a"])
ports = st.integers(0, MOST)


@given(hosts, ports)
def test_an_address_is_read_as_it_is_written(host: str, port: int) -> None:
    """Names, IPv4 and IPv6 addresses."""
    assert Address.parse(str(Address(host, port))) == Address(host, port)


@given(st.text(alphabet="a1.:[]-", max_size=12))
def test_any_text_is_an_address_or_told_what_would_do(text: str) -> None:
    """No other error, and never a port that is none."""
    try:
        address = Address.parse(text)
    except ValueError:
        with pytest.raises(ValueError, match="write HOST:PORT"):
            Address.parse(text)
    else:
        assert 0 <= address.port <= MOST
        assert address.host
        assert Address.parse(str(address)) == address


@pytest.mark.parametrize("text", ["", "9464", ":9464", "host:", "host:65536", "::1:9464", "host:-1", "host:٣", "h:1e3"])
def test_what_is_no_address_is_refused(text: str) -> None:
    """With an example of each kind."""
    with pytest.raises(ValueError, match=r"127\.0\.0\.1:9464"):
        Address.parse(text)


@given(hosts, st.integers(1, MOST), st.integers(0, MOST))
def test_each_process_has_a_port_of_its_own(host: str, port: int, steps: int) -> None:
    """Counted from the first; none above the highest."""
    if port + steps <= MOST:
        assert Address(host, port).next(steps) == Address(host, port + steps)
    else:
        with pytest.raises(ValueError, match="no port above"):
            Address(host, port).next(steps)


def test_any_free_port_stays_any_free_port() -> None:
    """For every process."""
    assert Address("::1", 0).next(7) == Address("::1", 0)
