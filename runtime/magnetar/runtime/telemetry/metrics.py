"""Prometheus: the catalogue's numbers in its format. The only importer of its client."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Protocol

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, GCCollector, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from magnetar.runtime.telemetry.catalogue import CATALOGUE, Kind, Metric

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from prometheus_client import Metric as Family

    from magnetar.runtime.telemetry.tally import Distribution, Labels, Numbers, Reading

CONTENT_TYPE = CONTENT_TYPE_LATEST


class Counted(Protocol):
    """What `Counting` is to this room."""

    numbers: dict[Metric, Numbers]
    distributions: dict[Metric, dict[Labels, Distribution]]


class Exhibit(Collector):
    """One worker's numbers, read anew at each scrape. Any thread."""

    def __init__(self, counted: Counted) -> None:
        """What is counted; `look` adds what is seen."""
        self._counted = counted
        self._look: Callable[[], Mapping[Metric, Numbers]] = dict

    def look(self, at: Callable[[], Mapping[Metric, Numbers]]) -> None:
        """From now on also show what this gives when it is asked."""
        self._look = at

    def describe(self) -> Iterable[Family]:
        """The names, which a registry compares with those that it has."""
        return [_family(metric) for metric in CATALOGUE]

    def collect(self) -> Iterable[Family]:
        """A family for each metric of the catalogue, also while it has no series."""
        numbers = {**self._counted.numbers, **self._look()}
        for metric in CATALOGUE:
            if metric.kind is Kind.HISTOGRAM:
                readings = {labels: each.read() for labels, each in self._counted.distributions[metric].items()}
                yield _histogram(metric, readings)
            else:
                yield _family(metric, dict(numbers.get(metric, {})))


def registry_of_process() -> CollectorRegistry:
    """A registry of one's own, with the process's memory, processor time and files, and Python's collector."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


def text_of(registry: CollectorRegistry) -> bytes:
    """What a scrape gets, of `CONTENT_TYPE`."""
    return generate_latest(registry)


def _family(metric: Metric, numbers: Numbers | None = None) -> Family:
    if metric.kind is Kind.HISTOGRAM:
        return _histogram(metric, {})
    made = CounterMetricFamily if metric.kind is Kind.COUNTER else GaugeMetricFamily
    family = made(metric.name, metric.meaning, labels=metric.labels)
    for labels, value in (numbers or {}).items():
        family.add_metric(labels, value)
    return family


def _histogram(metric: Metric, readings: Mapping[Labels, Reading]) -> Family:
    family = HistogramMetricFamily(metric.name, metric.meaning, labels=metric.labels)
    ends = [*map(_written, metric.bounds), "+Inf"]
    for labels, reading in readings.items():
        family.add_metric(labels, list(zip(ends, accumulate(reading.counts), strict=True)), reading.total)
    return family


def _written(bound: float) -> str:
    """As Prometheus' own clients write a bound."""
    return str(float(bound))
