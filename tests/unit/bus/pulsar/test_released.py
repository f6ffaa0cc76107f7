"""Which released versions are registered, in which order, and what is said of a topic: pure."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from magnetar.runtime.bus.pulsar.released import RegisteredTopic, ReleasedTopic, judge, missing

FULL = "persistent://public/shop/orders"
THREE = ReleasedTopic(name="orders", versions={1: "a", 2: "b", 3: "c"})
LETTERS = ReleasedTopic(name="orders-magnetar-orders-DLQ")


def there(known: dict[int, int], **more: object) -> RegisteredTopic:
    """A topic that has these of ours, and what else it has."""
    types = dict.fromkeys(known.values(), "AVRO")
    return RegisteredTopic(there=True, known=known, **{"types": types, **more})  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def actions(released: ReleasedTopic, registered: RegisteredTopic) -> dict[str, tuple[tuple[int, ...], tuple[int, ...]]]:
    """What is said, with which versions."""
    return {told.action: (told.versions, told.broker) for told in judge(FULL, released, registered)}


def test_everything_is_missing_on_a_topic_without_schemas() -> None:
    """In the order of releases; a topic that is not there yet is told."""
    assert missing(THREE, there({})) == [1, 2, 3]
    [told] = judge(FULL, THREE, RegisteredTopic(there=False))
    assert (told.action, told.versions) == ("register", (1, 2, 3))
    assert "magnetar topics apply" in told.reason


def test_what_is_newer_is_registered_and_what_is_older_passed_over() -> None:
    """A broker that judges by BACKWARD_TRANSITIVE takes nothing that cannot read what is there."""
    assert actions(THREE, there({2: 0})) == {
        "found": ((2,), (0,)),
        "passed over": ((1,), ()),
        "register": ((3,), ()),
    }


def test_two_versions_that_are_one_to_the_broker() -> None:
    """Only the docs differ: both are found. One that came back after another: the other is not older than it."""
    assert missing(THREE, there({1: 0, 2: 0})) == [3]
    assert missing(THREE, there({1: 0, 3: 0})) == [2]
    assert missing(THREE, there({2: 0, 3: 0})) == []


def test_strangers_and_deleted_ones_are_named() -> None:
    """Versions that no release has; and a first version that is not the broker's first."""
    found = actions(THREE, there({1: 2, 2: 4}, types={2: "AVRO", 3: "AVRO", 4: "AVRO"}))
    assert found["strangers"] == ((), (3,))
    assert found["deleted"] == ((), (2,))
    assert found["register"] == ((3,), ())


def test_what_a_person_must_decide() -> None:
    """A version that is refused, a schema of another kind, a version that is not released, one where none may be."""
    refused = there({1: 0}, refusals={2: "no reader"})
    for released, registered, said in (
        (THREE, refused, "the broker refuses it: no reader"),
        (THREE, there({}, types={0: "JSON"}), "another kind (JSON)"),
        (ReleasedTopic(name="orders", problem="it was never released"), there({}), "never released"),
        (LETTERS, there({}, types={0: "AVRO"}), "the broker refuses the bytes"),
    ):
        [told] = [each for each in judge(FULL, released, registered) if each.conflict]
        assert said in told.reason
        assert "register" not in actions(released, registered)


def test_a_refusal_of_what_is_passed_over_is_no_conflict() -> None:
    """It would not be registered anyway."""
    assert not any(each.conflict for each in judge(FULL, THREE, there({2: 0}, refusals={1: "older"})))


def test_letters_have_no_schema_and_that_is_said() -> None:
    """Of every topic something is said."""
    assert actions(LETTERS, there({})) == {"no schema": ((), ())}


@given(st.data())
def test_registering_what_is_missing_leaves_nothing_missing(data: st.DataObject) -> None:
    """Whatever is there already, and whichever versions are one to the broker; nothing comes after what is newer."""
    count = data.draw(st.integers(1, 8))
    kinds = [data.draw(st.integers(0, 4)) for _ in range(count)]
    released = ReleasedTopic(name="orders", versions={number: str(kind) for number, kind in enumerate(kinds, start=1)})
    brokers: list[int] = data.draw(st.lists(st.sampled_from(kinds), unique=True))

    def known() -> dict[int, int]:
        return {number: brokers.index(int(text)) for number, text in released.versions.items() if int(text) in brokers}

    before = known()
    lacking = missing(released, there(before))
    oldest = {version: min(each for each in before if before[each] == version) for version in before.values()}
    assert all(number > first for number in lacking for first in oldest.values())
    for number in lacking:
        if int(released.versions[number]) not in brokers:
            brokers.append(int(released.versions[number]))
    assert missing(released, there(known())) == []
