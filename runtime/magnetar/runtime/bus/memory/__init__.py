"""The in-process bus: the broker of the embedded defaults, and the model of one for simulation.

A `Broker` is the durable part: it stays when a worker's memory is dropped. A `MemoryBus` is the connection of one
process to it. What can go wrong between the two is in `faults`.
"""

from __future__ import annotations

from magnetar.runtime.bus.memory.broker import Broker
from magnetar.runtime.bus.memory.connection import MemoryBus
from magnetar.runtime.bus.memory.faults import Faults

__all__ = ["Broker", "Faults", "MemoryBus"]
