"""Deterministic simulation: the product's own engine in virtual time, with faults drawn from a seed (tier T0).

One thread; the broker is the in-process bus, the database a real SQLite in memory. A run has a safety phase with
faults, a liveness phase in which all is healed but what is left behind for good, and checkers that compute from the
broker's logs, the store and the sender's own log. `python -m magnetar.chaos.simulation --seed 7` tells one run.
"""

from magnetar.chaos.simulation.run import Outcome, simulate
from magnetar.chaos.simulation.schedule import Schedule
from magnetar.chaos.verdict import Verdict

__all__ = ["Outcome", "Schedule", "Verdict", "simulate"]
