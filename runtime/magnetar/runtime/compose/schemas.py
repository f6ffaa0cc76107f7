"""An app's released schemas on a Pulsar cluster, compared with what is there. Needs the extra `admin`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from magnetar.runtime.bus.pulsar.admin import Admin
from magnetar.runtime.bus.pulsar.registering import Registering
from magnetar.runtime.bus.pulsar.released import ReleasedTopic, Told
from magnetar.runtime.compose.places import wanted_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Self

    from magnetar.runtime.bus.pulsar.access import Access
    from magnetar.runtime.bus.pulsar.registering import Course
    from magnetar.runtime.wiring import Wiring


class Set(NamedTuple):
    """A policy that is set, or would be: of what, what it was, what it becomes. Also a namespace that is made."""

    action: str
    target: str
    have: str
    want: str


class Answer(NamedTuple):
    """What was done, or would be: what is set, then what there is to say of each topic, the app's own and remotes'."""

    settings: list[Set]
    topics: list[Told]

    @property
    def conflict(self) -> bool:
        """Whether a person must decide something first; then nothing was registered."""
        return any(each.conflict for each in self.topics)


class SchemaRegistry:
    """One cluster's registry through its REST API, for one app. Calls block and raise `BusError`.

    Args:
        url: `http://host:8080` or `https://host:8443`; nothing is asked yet.
        wiring: the app.
        versions: of each topic with a schema its released versions, version → Avro JSON, the oldest first.
        problems: by topic, why nothing of it can be registered.
        access: the token, and which certificates are trusted.
    """

    def __init__(
        self,
        url: str,
        wiring: Wiring,
        versions: Mapping[str, Mapping[int, str]],
        problems: Mapping[str, str],
        access: Access | None = None,
    ) -> None:
        """See the class."""
        own = [
            ReleasedTopic(name=name, versions=versions.get(name, {}), problem=problems.get(name, ""))
            for name in (*_own(wiring), *wiring.letters)
        ]
        self._admin = Admin(url, access=access)
        self._registering = Registering(self._admin, wanted_of(wiring), own)
        self._remotes = [name for name, topic in wiring.topics.items() if topic.partitions is None]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._admin.close()

    def plan(self) -> Answer:
        """What is to be done; nothing is changed."""
        return self._answer(self._registering.plan())

    def apply(self) -> Answer:
        """Do it, unless there is a conflict; may be repeated after any failure."""
        return self._answer(self._registering.apply())

    def _answer(self, course: Course) -> Answer:
        rows = [step.row() for step in course.steps]
        left = [Told(name, "left", reason="a remote's topic: its own service registers it") for name in self._remotes]
        return Answer([Set(row.action, row.target, row.have, row.want) for row in rows], [*course.told, *left])


def _own(wiring: Wiring) -> list[str]:
    return [name for name, topic in wiring.topics.items() if topic.partitions is not None]
