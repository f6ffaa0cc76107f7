"""Trials: a user's own actors in a world that goes wrong, many times over, each drawn from a seed.

`survives` plays one story of a test again and again on `World`, each time with other troubles, and tells the first
that breaks it with no more of them than it takes.
"""

from magnetar.chaos.trials.finding import NotSurvived
from magnetar.chaos.trials.trial import survives
from magnetar.chaos.trials.trouble import Troubles

__all__ = ["NotSurvived", "Troubles", "survives"]
