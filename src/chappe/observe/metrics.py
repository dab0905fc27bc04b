"""What the pipeline does, counted, in the text format of Prometheus.

Counting costs one or two additions to a dictionary per message: there are no locks, for only the event loop counts, and
what a scrape shows is made of the dictionaries when it is asked for. Every set of labels is bounded: places, channels
and providers are few, rules as many as there are, and of categories, which callers name, only the first hundred are
told apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import CollectorRegistry

from chappe.model.customer import CustomerMessage, Decision, Outcome
from chappe.model.durations import BOUNDS_SECONDS, Durations
from chappe.observe.classifier_metrics import ClassifierReadings, classifier_families

CONTENT_TYPE = CONTENT_TYPE_LATEST
CATEGORIES_MAX = 100
SERIES_MAX = 20_000
"""Of one counter; what would be more is counted under `other`."""
OTHER = "other"
_NONE = "none"
_DECISION_LABELS = ("stage", "outcome", "purpose", "channel", "jurisdiction", "category")
_RULE_LABELS = ("rule", "outcome", "jurisdiction", "category")

_Labels = tuple[str, ...]


class QueueDepth(msgspec.Struct, frozen=True):
    """How full a queue of the pipeline is."""

    queue: str
    ready: int
    in_flight: int
    delayed: int


class RegistryAge(msgspec.Struct, frozen=True):
    """How old what a registry says is."""

    registry: str
    age_seconds: float
    listings: int


class Readings(msgspec.Struct, frozen=True):
    """What is not counted but looked up for a scrape."""

    rule_set: int
    staged_rule_set: int | None
    queues: Sequence[QueueDepth] = ()
    registries: Sequence[RegistryAge] = ()
    open_circuits: Mapping[str, bool] = {}
    data_requests_open: int = 0
    data_requests_overdue: int = 0
    disk_free_bytes: int = 0
    classifier: ClassifierReadings | None = None


class Metrics:
    """Counts. Use from one event loop. `commits` are those of the records."""

    def __init__(self, commits: Durations | None = None) -> None:
        self._decisions: defaultdict[_Labels, int] = defaultdict(int)
        self._rules: defaultdict[_Labels, int] = defaultdict(int)
        self._attempts: defaultdict[_Labels, int] = defaultdict(int)
        self._attempt_seconds: defaultdict[_Labels, Durations] = defaultdict(Durations)
        self._waits: defaultdict[_Labels, Durations] = defaultdict(Durations)
        self._categories: set[str] = set()
        self._commits = commits or Durations()
        self.queue_sends = Durations()

    def decided(self, stage: str, message: CustomerMessage, decision: Decision, jurisdiction: str | None) -> None:
        """A decision was made that counts."""
        place, category = jurisdiction or _NONE, self._category(message.category)
        labels = (stage, decision.outcome.value, message.purpose.value, message.channel.value, place, category)
        _count(self._decisions, labels)
        for rule in decision.rules:
            if rule.outcome is Outcome.ALLOW:
                break  # the strictest come first
            _count(self._rules, (rule.id, rule.outcome.value, place, category))

    def attempted(self, provider: str, channel: str, outcome: str, seconds: float) -> None:
        """An attempt has ended: `sent`, or the code of the failure."""
        _count(self._attempts, (provider, channel, outcome))
        self._attempt_seconds[provider, channel].add(seconds)

    def waited(self, purpose: str, channel: str, seconds: float) -> None:
        """A message was taken from its lane after so long."""
        self._waits[purpose, channel].add(seconds)

    def render(self, readings: Readings) -> bytes:
        """Everything, in the text format."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Collector(self._families(readings)))
        return generate_latest(registry)

    def _category(self, category: str | None) -> str:
        if category is None:
            return _NONE
        if category not in self._categories:
            if len(self._categories) >= CATEGORIES_MAX:
                return OTHER
            self._categories.add(category)
        return category

    def _families(self, readings: Readings) -> Iterator[Metric]:
        yield _counter("chappe_decisions", "Binding decisions by outcome.", _DECISION_LABELS, self._decisions)
        yield _counter(
            "chappe_rule_violations", "What single rules said that was not allow.", _RULE_LABELS, self._rules
        )
        yield _counter("chappe_attempts", "Attempts at providers.", ("provider", "channel", "outcome"), self._attempts)
        yield _histogram(
            "chappe_attempt_seconds", "How long attempts took.", ("provider", "channel"), self._attempt_seconds
        )
        yield _histogram(
            "chappe_lane_wait_seconds",
            "How long messages had waited in their lane when they were taken from it.",
            ("purpose", "channel"),
            self._waits,
        )
        yield _histogram("chappe_records_commit_seconds", "Transactions of the records.", (), {(): self._commits})
        yield _histogram(
            "chappe_queue_send_seconds", "Durable sends of decided batches to lanes.", (), {(): self.queue_sends}
        )
        yield from _gauges(readings)
        if readings.classifier is not None:
            yield from classifier_families(readings.classifier)


class _Collector:
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def _gauges(readings: Readings) -> Iterator[Metric]:
    versions = GaugeMetricFamily("chappe_rule_set_version", "The version of the rules in force.", labels=("scope",))
    versions.add_metric(("everyone",), readings.rule_set)
    if readings.staged_rule_set is not None:
        versions.add_metric(("staged",), readings.staged_rule_set)
    yield versions
    depth = GaugeMetricFamily("chappe_queue_messages", "Messages in the pipeline's queues.", labels=("queue", "state"))
    for queue in readings.queues:
        for state in ("ready", "in_flight", "delayed"):
            depth.add_metric((queue.queue, state), getattr(queue, state))
    yield depth
    ages = GaugeMetricFamily("chappe_registry_age_seconds", "Age of what registries say.", labels=("registry",))
    sizes = GaugeMetricFamily("chappe_registry_listings", "Entries of registries.", labels=("registry",))
    for registry in readings.registries:
        ages.add_metric((registry.registry,), registry.age_seconds)
        sizes.add_metric((registry.registry,), registry.listings)
    yield from (ages, sizes)
    circuits = GaugeMetricFamily("chappe_circuit_open", "Whether a provider is being left alone.", labels=("provider",))
    for provider, is_open in readings.open_circuits.items():
        circuits.add_metric((provider,), float(is_open))
    yield circuits
    requests = GaugeMetricFamily("chappe_data_requests", "Requests of people about their data.", labels=("state",))
    requests.add_metric(("open",), readings.data_requests_open)
    requests.add_metric(("overdue",), readings.data_requests_overdue)
    yield requests
    disk = GaugeMetricFamily("chappe_disk_free_bytes", "Room on the disk of the data folder.")
    disk.add_metric((), readings.disk_free_bytes)
    yield disk


def _count(counts: defaultdict[_Labels, int], labels: _Labels) -> None:
    if labels not in counts and len(counts) >= SERIES_MAX:
        labels = (OTHER,) * len(labels)
    counts[labels] += 1


def _counter(name: str, text: str, labels: Sequence[str], counts: Mapping[_Labels, int]) -> Metric:
    family = CounterMetricFamily(name, text, labels=labels)
    for values, count in counts.items():
        family.add_metric(values, count)
    return family


def _histogram(name: str, text: str, labels: Sequence[str], durations: Mapping[_Labels, Durations]) -> Metric:
    family = HistogramMetricFamily(name, text, labels=labels)
    for values, taken in durations.items():
        total, buckets = 0, []
        for bound, count in zip((*map(str, BOUNDS_SECONDS), "+Inf"), taken.counts, strict=True):
            total += count
            buckets.append((bound, float(total)))
        family.add_metric(values, buckets, taken.total_seconds)
    return family
