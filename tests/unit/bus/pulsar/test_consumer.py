"""The consumer's side of the adapter, where the client says no."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from magnetar.runtime.bus.port import Position
from magnetar.runtime.bus.pulsar import native
from magnetar.runtime.bus.pulsar.consumer import PulsarConsumer

if TYPE_CHECKING:
    import pytest


class Deaf:
    """A client's consumer that takes no acknowledgement."""

    def acknowledge_cumulative(self, _: object) -> None:
        """As the client, when something is wrong with it."""
        raise native.PulsarException("no way (made up)")


def test_an_acknowledgement_that_the_client_refuses_is_lost_with_a_word(caplog: pytest.LogCaptureFixture) -> None:
    """R10: its messages come again, and the journal knows them; a worker does not stop for it."""
    deaf: Any = Deaf()
    nobody: Any = None
    consumer = PulsarConsumer(deaf, nobody, topic="orders", partition=0, farewell=nobody, patience=1.0)
    with caplog.at_level(logging.WARNING):
        consumer.acknowledge(Position(1, 2))
    assert "ack of 1:2:-1" in caplog.text
