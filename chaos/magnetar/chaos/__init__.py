"""Environments, faults, workloads and checkers that try to break Magnetar's promises, and a user's actors.

`trials` play a user's story in a world that goes wrong. `checkers` are pure functions over a `history` and the
`evidence` that a run left; `simulation` makes such runs of the engine.
"""

from magnetar.chaos.trials import NotSurvived, Troubles, survives

__all__ = ["NotSurvived", "Troubles", "survives"]
