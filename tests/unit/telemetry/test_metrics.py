"""What a scrape reads is what the engine did: on a real engine, in Prometheus' own format."""

from __future__ import annotations

import re
from importlib import metadata
from typing import TYPE_CHECKING

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from magnetar.runtime.routing import partition_of
from magnetar.runtime.store.port import CommitUnknown, ShardChanges, StoreUnavailable, Taker
from magnetar.runtime.store.views import Which
from magnetar.runtime.telemetry.catalogue import CATALOGUE, DEAD_BY_GROUP, Kind, Metric
from magnetar.runtime.telemetry.counting import MOST_GROUPS, OTHERS, Counting
from magnetar.runtime.telemetry.looking import Looking
from magnetar.runtime.telemetry.metrics import Exhibit, registry_of_process, text_of
from magnetar.runtime.threads.loop import Pulse
from magnetar.runtime.worker.bulkhead import Inline
from magnetar.runtime.worker.observer import Loss, Observer, Observers, Wait
from tests.contract.store.rows import dead_letter
from tests.unit.worker.bank import Do, accounts, bank
from tests.unit.worker.bench import Bench
from tests.unit.worker.outside import Switchboard
from tests.unit.worker.shopfront import Charged, Pay, payments, psp, shopfront

if TYPE_CHECKING:
    from collections.abc import Callable

    from prometheus_client import Metric as Family

    from magnetar.runtime import App
    from magnetar.runtime.worker.bulkhead import Bulkhead

NAME = re.compile(r"magnetar(_[a-z]+)+")
UNITS = (
    "_total", "_seconds", "_messages", "_rows", "_destinations", "_epoch", "_info", "_armed", "_live", "_keys",
    "_at_alarm", "_at_bound", "_effects", "_calls", "_state",
)  # fmt: skip


class Watched(Bench):
    """A bench whose engine is counted and looked at."""

    def __init__(self, app: App = bank, bulkhead: Callable[[], Bulkhead] = Inline) -> None:
        partitions = {name: plan.policy.partitions for name, plan in app.wire().actors.items()}
        self.counting = Counting(partitions, metadata.version("magnetar"))
        self.registry = CollectorRegistry()
        exhibit = Exhibit(self.counting)
        self.registry.register(exhibit)
        exhibit.look(lambda: Looking(self.engine, Pulse(steps=7, busy=1.5), lambda: self.now).numbers())
        super().__init__(app, bulkhead=bulkhead)

    def audience(self) -> Observer:
        """The counting hears it too."""
        return Observers(self.observer, self.counting)

    def families(self) -> dict[str, Family]:
        """As Prometheus reads them."""
        return {each.name: each for each in text_string_to_metric_families(text_of(self.registry).decode())}

    def value(self, name: str, **labels: str) -> float | None:
        """One series."""
        return self.registry.get_sample_value(name, labels)

    def sum_of(self, name: str, **labels: str) -> float:
        """All series of a name that have these labels."""
        found = [sample for family in self.registry.collect() for sample in family.samples if sample.name == name]
        return sum(each.value for each in found if labels.items() <= each.labels.items())


@pytest.fixture
def bench() -> Watched:
    """A worker that owns everything, counted from its start."""
    return Watched()


def test_every_metric_of_the_catalogue_is_shown(bench: Watched) -> None:
    """With its kind and exactly its labels, and nothing else of ours is shown."""
    bench.send(Do(account="a"))
    bench.until("phase:taken")
    shown = bench.families()
    assert set(shown) == {metric.name.removesuffix("_total") for metric in CATALOGUE}
    for metric in CATALOGUE:
        family = shown[metric.name.removesuffix("_total")]
        assert family.type == metric.kind
        assert family.documentation == metric.meaning
        if "dependency" in metric.labels and not family.samples:
            continue  # this app calls nobody
        assert family.samples, metric.name
        assert {tuple(sorted(set(sample.labels) - {"le"})) for sample in family.samples} == {
            tuple(sorted(metric.labels))
        }


@pytest.mark.parametrize("metric", CATALOGUE, ids=lambda metric: metric.name)
def test_a_name_follows_the_naming_guide(metric: Metric) -> None:
    """One prefix, base units, `_total` for counters only, few labels of few values, a sentence of meaning."""
    assert NAME.fullmatch(metric.name)
    assert metric.name.endswith("_total") == (metric.kind is Kind.COUNTER)
    assert metric.name.endswith(UNITS) or metric.name.startswith("magnetar_shards")
    assert "milli" not in metric.name
    assert set(metric.labels) <= {
        "actor",
        "shard",
        "how",
        "reason",
        "outcome",
        "version",
        "dependency",
        "state",
        "group",
    }
    assert list(metric.bounds) == sorted(set(metric.bounds))
    assert metric.meaning.endswith(".")


def test_what_was_committed_is_counted(bench: Watched) -> None:
    """Messages by outcome, groups, sizes, and the time of each transaction."""
    for number in range(10):
        bench.send(Do(account=f"a-{number}", deeds=("tell b word",)), f"m-{number}")
    bench.send(Do(account="a-1"), "m-1")
    bench.run()
    bench.advance(2)
    assert bench.value("magnetar_messages_settled_total", actor="accounts", outcome="applied") == 10
    assert bench.value("magnetar_duplicates_total", actor="accounts") == 1
    assert bench.value("magnetar_messages_relayed_total", actor="accounts") == 10
    assert bench.value("magnetar_commit_messages_sum") == sum(count for _, count, _ in bench.observer.of("committed"))
    assert bench.value("magnetar_commits_total") == len(bench.observer.of("committed"))
    assert bench.value("magnetar_commit_duration_seconds_count") == len(bench.observer.of("stored"))
    assert bench.value("magnetar_message_age_seconds_count", actor="accounts") == 10
    assert bench.sum_of("magnetar_entities_live") == sum(len(s.entities) for s in bench.engine.holdings.shards())


def test_the_age_of_a_message_is_from_published_to_committed(bench: Watched) -> None:
    """From the publisher's time to the store's just after; mail and timers are no messages of topics."""
    bench.send(Do(account="a"))
    bench.now += 3_000_000
    bench.shard(accounts, "b").entity("b").actor_ref.tell(Do(account="b"))
    bench.run()
    assert bench.value("magnetar_message_age_seconds_count", actor="accounts") == 1
    assert bench.value("magnetar_message_age_seconds_sum", actor="accounts") == pytest.approx(3, abs=0.1)
    assert bench.value("magnetar_message_age_seconds_bucket", actor="accounts", le="2.5") == 0
    assert bench.value("magnetar_message_age_seconds_bucket", actor="accounts", le="5.0") == 1
    assert bench.value("magnetar_message_age_seconds_bucket", actor="accounts", le="+Inf") == 1


def test_a_shard_is_seen_while_it_is_owned(bench: Watched) -> None:
    """Its series go when it is lost, and are there again when it is won again."""
    assert bench.value("magnetar_shards_owned", actor="accounts") == 2
    assert bench.value("magnetar_shards", actor="accounts") == 2
    assert bench.value("magnetar_shards_assigned", actor="accounts") == 2
    assert bench.value("magnetar_shard_epoch", shard="accounts/0") == 1
    shard = bench.engine.holdings.find("accounts/0")
    assert shard is not None
    bench.engine.holdings.lose(shard, "taken", Loss.TAKEN)
    assert bench.value("magnetar_shards_owned", actor="accounts") == 1
    assert bench.value("magnetar_shard_epoch", shard="accounts/0") is None
    assert bench.value("magnetar_lane_blocked_destinations", shard="accounts/0") is None
    assert bench.value("magnetar_shards_lost_total", actor="accounts", reason="taken") == 1
    bench.run()
    assert bench.value("magnetar_shard_epoch", shard="accounts/0") == 2
    assert bench.value("magnetar_takeovers_total", actor="accounts", how="first") == 2
    assert bench.value("magnetar_takeovers_total", actor="accounts", how="unclean") == 1


def test_an_older_copy_of_the_store_is_counted(bench: Watched) -> None:
    """Each time that it is noticed (R11), by actor."""
    image = bench.database.image()
    for number in range(10):
        bench.send(Do(account=f"a-{number}"))
    bench.run()
    assert bench.value("magnetar_store_went_back_total", actor="accounts") == 0
    bench.bus.disconnect()
    bench.engine.close()
    bench.database.restore(image)
    bench.bus, bench.engine = bench.worker("after")
    bench.run()
    noticed = len(bench.observer.of("went_back"))
    assert bench.value("magnetar_store_went_back_total", actor="accounts") == noticed > 0


def test_a_worker_that_is_passed_over_is_given_nothing(bench: Watched) -> None:
    """And given again what the next assignment says."""
    bench.counting.excluded("an older release")
    assert bench.sum_of("magnetar_shards_assigned") == 0
    bench.counting.assigned(["accounts/1"])
    assert bench.value("magnetar_shards_assigned", actor="accounts") == 1


def test_the_lag_of_a_shard_is_the_age_of_what_waits(bench: Watched) -> None:
    """While it is in hand, and after it was given back; where nothing waits the age is 0."""
    name = bench.shard(accounts, "a").name
    assert bench.value("magnetar_shard_lag_seconds", shard=name) == 0
    bench.send(Do(account="a"))
    bench.until("phase:taken")
    bench.now += 2_000_000
    assert bench.value("magnetar_shard_lag_seconds", shard=name) == pytest.approx(2, abs=0.01)
    bench.moods.always["dispositions"] = StoreUnavailable("away")
    bench.until("phase:idle")
    assert bench.engine.turn.idle
    assert bench.value("magnetar_inbox_messages", shard=name) == 1
    assert bench.value("magnetar_shard_lag_seconds", shard=name) == pytest.approx(2, abs=0.01)


def test_the_lane_grows_while_the_broker_does_not_answer(bench: Watched) -> None:
    """Rows without a receipt, and a destination that is blocked for good."""
    name = bench.shard(accounts, "a").name
    for partition in range(2):
        bench.faults.refuse_sends("accounts-events", partition)
    bench.send(Do(account="a", deeds=("tell b one", "tell b two")))
    bench.advance(3)
    assert bench.value("magnetar_lane_rows", shard=name) == 2
    assert bench.value("magnetar_lane_blocked_destinations", shard=name) == 1


def test_a_refused_commit_is_counted_where_nothing_was_before(bench: Watched) -> None:
    """A rate needs the zero: it is there from the start, for every actor and reason."""
    assert bench.value("magnetar_commits_refused_total", actor="accounts") == 0
    bench.send(Do(account="a"))
    bench.until("phase:handled")
    bench.database.open().take(bench.shard(accounts, "a").name, 1, Taker("thief"))
    bench.run()
    assert bench.value("magnetar_commits_refused_total", actor="accounts") == 1
    assert bench.value("magnetar_shards_lost_total", actor="accounts", reason="fenced") == 1


@pytest.mark.parametrize("happened", [True, False])
def test_an_unknown_commit_is_counted_by_its_outcome(bench: Watched, *, happened: bool) -> None:
    """As it turned out."""
    bench.moods.fail("commit", CommitUnknown("cut"), done=happened)
    bench.send(Do(account="a"))
    bench.run()
    assert bench.value("magnetar_commits_unknown_total", outcome="happened") == happened
    assert bench.value("magnetar_commits_unknown_total", outcome="lost") == (not happened)


def test_a_message_in_a_wrong_partition_is_counted(bench: Watched) -> None:
    """As settled, and as sent on."""
    right = bench.shard(accounts, "a").partition
    other = next(f"k-{number}" for number in range(99) if partition_of(f"k-{number}", 2) != right)
    bench.send(Do(account="a"), partition=1 - right)
    bench.send(Do(account=other))
    bench.run()
    assert bench.value("magnetar_messages_rehomed_total", actor="accounts") == 1
    assert bench.value("magnetar_messages_settled_total", actor="accounts", outcome="re-homed") == 1
    assert bench.value("magnetar_messages_settled_total", actor="accounts", outcome="applied") == 2


def test_failures_and_what_they_park_are_seen(bench: Watched) -> None:
    """Each failed attempt; keys by why, what waits for them and for how long; and what became of it in the end."""
    name = bench.shard(accounts, "a").name
    bench.send(Do(account="a", deeds=("fail 3",)))
    for _ in range(4):
        bench.send(Do(account="a"))
    bench.advance(9)
    assert bench.value("magnetar_failures_total", actor="accounts") == 2
    assert bench.value("magnetar_failures_total", actor="branches") == 0
    assert bench.value("magnetar_messages_settled_total", actor="accounts", outcome="parked") == 5
    assert bench.value("magnetar_parked_keys", shard=name, reason="retry") == 1
    assert bench.value("magnetar_parked_keys", shard=name, reason="held") == 0
    assert bench.value("magnetar_parked_messages", shard=name) == 5
    assert bench.value("magnetar_parked_key_age_seconds", shard=name) == pytest.approx(9, abs=0.1)
    assert bench.value("magnetar_parked_keys_at_alarm", shard=name) == 1
    assert bench.value("magnetar_parked_keys_at_bound", shard=name) == 0
    bench.advance(70)
    assert bench.value("magnetar_failures_total", actor="accounts") == 3
    assert bench.value("magnetar_messages_settled_total", actor="accounts", outcome="applied") == 5
    assert bench.value("magnetar_messages_settled_total", actor="accounts", outcome="parked") == 5
    assert bench.value("magnetar_parked_keys", shard=name, reason="retry") == 0
    assert bench.value("magnetar_parked_key_age_seconds", shard=name) == 0
    assert bench.value("magnetar_dead_letters_total", actor="accounts") == 0


def test_dead_letters_are_counted_whether_they_had_been_parked_or_not(bench: Watched) -> None:
    """A head that dies leaves the journal's list as it was; a permanent error dies at once."""
    name = bench.shard(accounts, "a").name
    bench.send(Do(account="a", deeds=("raise",)))
    bench.send(Do(account="b", deeds=("never",)))
    for _ in range(20):
        bench.send(Do(account="a"))
    bench.advance(300)
    assert bench.value("magnetar_dead_letters_total", actor="accounts") == 2
    assert bench.value("magnetar_messages_settled_total", actor="accounts", outcome="dead") == 2
    groups = {each.fingerprint: each.letters for each in bench.views.letter_groups(Which())}
    assert len(groups) == 2
    for group, count in groups.items():
        assert bench.value("magnetar_dead_letters_by_group_total", actor="accounts", group=group) == count
    assert bench.sum_of("magnetar_parked_keys", reason="held") == 2
    assert bench.value("magnetar_parked_keys_at_bound", shard=name) == 1


def test_causes_without_end_are_no_labels_without_end() -> None:
    """The first so many are told apart; all later ones are counted together, and none gets lost."""
    counting = Counting({"accounts": 1, "branches": 1}, "1")
    for number in range(MOST_GROUPS + 7):
        changes = ShardChanges("accounts/0", 1, number, 0, 0)
        changes.to_park().dead += [dead_letter(number)._replace(fingerprint=f"{number:016x}")] * 2
        counting.committed([changes], 0)
    groups = counting.numbers[DEAD_BY_GROUP]
    assert len(groups) == MOST_GROUPS + 2
    assert groups["accounts", OTHERS] == 14
    assert groups["branches", OTHERS] == 0
    assert sum(groups.values()) == 2 * (MOST_GROUPS + 7)


def test_effects_are_seen() -> None:
    """Calls by what they came to and how long they took, what waits, what is told, and the breaker."""
    board = Switchboard()
    bench = Watched(shopfront, lambda: board)
    bench.send(Pay(order="a"))
    bench.step(24)
    shard = bench.shard(payments, "a").name
    assert bench.value("magnetar_waiting_effects", shard=shard, dependency="psp") == 1
    assert bench.value("magnetar_open_calls", dependency="psp") == 1
    bench.now += 300_000
    board.answer(Charged(reference="r"))
    bench.step(24)
    assert bench.value("magnetar_waiting_effects", shard=shard, dependency="psp") == 0
    assert bench.value("magnetar_open_calls", dependency="psp") == 0
    assert bench.value("magnetar_effect_calls_total", dependency="psp", outcome="success") == 1
    assert bench.value("magnetar_effects_told_total", dependency="psp", outcome="success") == 1
    assert bench.value("magnetar_effect_call_duration_seconds_sum", dependency="psp") == pytest.approx(0.3, abs=0.01)
    for _ in range(psp.breaking.least - 1):
        bench.send(Pay(order="b"))
        bench.step(24)
        board.answer(ConnectionError("gone"))
        bench.step(24)
    assert bench.value("magnetar_effect_calls_total", dependency="psp", outcome="unknown") == 3
    assert bench.value("magnetar_breaker_state", dependency="psp", state="open") == 1
    assert bench.value("magnetar_breaker_state", dependency="psp", state="closed") == 0
    for metric in (each for each in CATALOGUE if "dependency" in each.labels):
        labels = {
            frozenset(sample.labels) - {"le"} for sample in bench.families()[metric.name.removesuffix("_total")].samples
        }
        assert labels == {frozenset(metric.labels)}


def test_the_smaller_hooks_are_counted(bench: Watched) -> None:
    """Skipped events, stale timers, duplicates that the broker dropped, waits."""
    bench.counting.skipped("branches", 3)
    bench.counting.stale_timers("accounts", 2)
    bench.counting.relayed("accounts/1", 5, 4)
    bench.counting.waiting("accounts/1", "away", Wait.SCHEMA)
    assert bench.value("magnetar_messages_skipped_total", actor="branches") == 3
    assert bench.value("magnetar_timers_stale_total", actor="accounts") == 2
    assert bench.value("magnetar_relay_duplicates_total", actor="accounts") == 4
    assert bench.value("magnetar_waits_total", reason="schema") == 1
    assert bench.value("magnetar_loop_steps_total") == 7
    assert bench.value("magnetar_loop_busy_seconds_total") == 1.5


def test_labels_do_not_grow_with_the_keys(bench: Watched) -> None:
    """A thousand keys make no series more than one."""

    def series() -> int:
        return sum(len(family.samples) for family in bench.registry.collect())

    before = series()
    for number in range(1000):
        bench.send(Do(account=f"secret-{number}", deeds=("tell b word",)))
    bench.run()
    assert series() == before
    assert "secret" not in text_of(bench.registry).decode()


def test_a_worker_has_a_registry_of_its_own() -> None:
    """Nothing is registered in the library's global one, so two workers fit in one process."""
    first, second = registry_of_process(), registry_of_process()
    for registry in (first, second):
        registry.register(Exhibit(Counting({"accounts": 2}, "1")))
    assert first.get_sample_value("magnetar_shards", {"actor": "accounts"}) == 2
    assert b"process_resident_memory_bytes" in text_of(first)
    with pytest.raises(ValueError, match="Duplicated timeseries"):
        first.register(Exhibit(Counting({"accounts": 2}, "1")))


def test_a_group_whose_shards_were_all_lost_is_no_commit() -> None:
    """Nothing of it is durable."""
    counting = Counting({"accounts": 1}, "1")
    nothing: list[ShardChanges] = []
    counting.committed(nothing, 0)
    registry = CollectorRegistry()
    registry.register(Exhibit(counting))
    assert registry.get_sample_value("magnetar_commits_total") == 0
