"""A worker in a process of its own: holds a partition, and says each change of `connected` on a line.

Arguments: service URL, application, topic, subscription, producer name.
"""

from __future__ import annotations

import sys
import time

from magnetar.runtime.bus.pulsar.admin import Admin
from magnetar.runtime.bus.pulsar.client import PulsarBus
from magnetar.runtime.bus.pulsar.settings import PulsarSettings
from tests.contract.bus.harness import until


def main(service_url: str, admin_url: str, application: str, topic: str, subscription: str, name: str) -> None:
    """Hold until killed."""
    settings = PulsarSettings(service_url=service_url, application=application, log_file="/dev/null")
    bus = PulsarBus(settings, Admin(admin_url))
    subscribing, opening = bus.subscribe(topic, 0, subscription), bus.produce(topic, 0, name, None)
    consumer = until(subscribing.poll, 10, "the consumer")
    until(opening.poll, 10, "the producer")
    said: bool | None = None
    while True:
        if consumer.connected() is not said:
            said = consumer.connected()
            print("connected" if said else "disconnected", flush=True)  # noqa: T201
        time.sleep(0.02)


if __name__ == "__main__":
    main(*sys.argv[1:])
