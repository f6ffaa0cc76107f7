"""The bug zoo: the product broken on purpose, one bug a file, to see that the checkers can see.

A simulation that lets a bug pass proves nothing. `make zoo` hunts all of them and prints which checker caught which,
after how many schedules, in how long; and it fails when one gets away, when a checker is nowhere the only one to
complain, when what a bug would break is gone, or when the line that it changes never ran.
"""

from magnetar.chaos.zoo.bug import Bug, Change, Promise, TargetGone, broken
from magnetar.chaos.zoo.census import Census
from magnetar.chaos.zoo.hunting import Catch, all_bugs, broken_run, hunt, isolated

__all__ = [
    "Bug",
    "Catch",
    "Census",
    "Change",
    "Promise",
    "TargetGone",
    "all_bugs",
    "broken",
    "broken_run",
    "hunt",
    "isolated",
]
