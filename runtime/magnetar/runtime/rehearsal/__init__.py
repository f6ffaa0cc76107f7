"""What earlier releases have left in a store, taken on by this code in the real engine, before any user's store is.

For tools and tests: nothing that runs in production imports it.
"""

from magnetar.runtime.rehearsal.rehearsing import Stuck, rehearse
from magnetar.runtime.rehearsal.trials import Left, Trial, Way, trials_of

__all__ = ["Left", "Stuck", "Trial", "Way", "rehearse", "trials_of"]
