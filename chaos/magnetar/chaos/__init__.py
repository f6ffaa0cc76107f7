"""Environments, faults, workloads and checkers that try to break Magnetar's promises."""

__all__: list[str] = []
