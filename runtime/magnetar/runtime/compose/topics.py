"""What an app needs on a Pulsar cluster, compared with what is there. Needs the extra `admin`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from magnetar.runtime.bus.pulsar import applying, provisioning
from magnetar.runtime.bus.pulsar.admin import Admin
from magnetar.runtime.bus.pulsar.steps import Conflict
from magnetar.runtime.compose.places import wanted_of

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from magnetar.runtime.bus.pulsar.access import Access
    from magnetar.runtime.bus.pulsar.steps import Step
    from magnetar.runtime.wiring import Wiring


class Row(msgspec.Struct, frozen=True):
    """A step to print. A `conflict` is what exists differently and cannot be changed: somebody must decide."""

    action: str
    target: str
    have: str
    want: str
    conflict: bool


class Cluster:
    """One cluster through its REST API, for one app. Calls block up to its time-out and raise `BusError`."""

    def __init__(self, url: str, wiring: Wiring, access: Access | None = None) -> None:
        """`url` is `http://host:8080` or `https://host:8443`; nothing is asked yet."""
        self._admin = Admin(url, access=access)
        self._wanted = wanted_of(wiring)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._admin.close()

    def plan(self) -> list[Row]:
        """What is to be done, in the order of doing; empty when all is as wanted."""
        return [_row(step) for step in self._steps()]

    def apply(self) -> list[Row]:
        """Do it, unless it holds a conflict; returns what was, or would be, done. May be repeated after any failure."""
        steps = self._steps()
        if not any(isinstance(step, Conflict) for step in steps):
            applying.apply(self._admin, steps)
        return [_row(step) for step in steps]

    def _steps(self) -> list[Step]:
        return provisioning.plan(self._wanted, applying.survey(self._admin, self._wanted))


def _row(step: Step) -> Row:
    row = step.row()
    return Row(row.action, row.target, row.have, row.want, isinstance(step, Conflict))
