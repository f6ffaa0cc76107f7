"""Environments, faults, workloads and checkers that try to break Magnetar's promises.

`checkers` are pure functions over a `history` and the `evidence` that a run left; `simulation` makes such runs.
"""

__all__: list[str] = []
