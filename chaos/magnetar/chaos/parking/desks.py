"""The app of the report: the clerks of the simulation, with waiting times for a run of minutes."""

from __future__ import annotations

from magnetar.chaos.simulation.clerks import ATTEMPTS, clerks_app
from magnetar.runtime import Retry

TARGET = "magnetar.chaos.parking.desks:DESKS"
"""As a worker's command line names it."""

DESKS = clerks_app(8, Retry(immediate=1, tiers=(1.0, 3.0), attempts=ATTEMPTS, jitter=0.3, afterwards="skip"))
