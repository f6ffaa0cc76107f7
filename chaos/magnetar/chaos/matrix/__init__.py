"""The crash matrix (tier T1): every fault point, every fault, in every kind of step; then pairs in one message's way.

Nobody lists its cells: they follow from `worker.points.all_points()`, from what the ports may raise (`raising`), and
from the kinds of steps (`steps`). Each cell is a run of the simulation, with its phases and its checkers. It is green
if the fault was seen to take effect, a message was applied after it, and every promise was kept.
"""

from magnetar.chaos.matrix.playing import Cell, Played, Strike, play

__all__ = ["Cell", "Played", "Strike", "play"]
