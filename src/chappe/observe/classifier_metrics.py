"""What the classifier did, for metrics, and how well its model fits what is sent.

Two signs of a model that has grown old are told per sender: the share of uncertain verdicts, and the share of verdicts
that are another than what the sender declared. Alert rules are in `docs/prometheus/classifier.yml`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric


class SenderReading(msgspec.Struct, frozen=True):
    """Verdicts on a sender's messages: all, the uncertain ones, and those that disagree with what was declared."""

    sender: str
    judged: int
    uncertain: int
    disagreeing: int


class ClassifierReadings(msgspec.Struct, frozen=True):
    """Counts since the start. `shadow` is the version in the shadow, and what came of comparing it."""

    model: str
    labels: Mapping[str, int]
    treatments: Mapping[str, int]
    cache_hits: int
    cache_misses: int
    senders: Sequence[SenderReading] = ()
    shadow: str | None = None
    compared: int = 0
    disagreed: int = 0
    reviews_waiting: int = 0
    second_opinions: Mapping[str, int] = {}
    """Of uncertain verdicts: those that stayed the `same`, that became `other`, and that were `passed_over` because too
    many waited.
    """


def classifier_families(readings: ClassifierReadings) -> Iterator[Metric]:
    """The metrics of these readings."""
    yield _by("chappe_classifier_verdicts", "Messages judged, by what they were taken for.", "label", readings.labels)
    yield _by(
        "chappe_classifier_treatments",
        "Messages with which something was done because of their content.",
        "treatment",
        readings.treatments,
    )
    lookups = {"hit": readings.cache_hits, "miss": readings.cache_misses}
    yield _by("chappe_classifier_cache_lookups", "Verdicts found in the cache, or not.", "result", lookups)
    for name, text, field in (
        ("chappe_classifier_judged", "Messages of a sender that were judged.", "judged"),
        ("chappe_classifier_uncertain", "Of these, those whose verdict is uncertain.", "uncertain"),
        ("chappe_classifier_disagreeing", "Of these, those taken for another than declared.", "disagreeing"),
    ):
        yield _by(name, text, "sender", {entry.sender: getattr(entry, field) for entry in readings.senders})
    shadow = {} if readings.shadow is None else {"same": readings.compared - readings.disagreed}
    if readings.shadow is not None:
        shadow["other"] = readings.disagreed
    yield _by("chappe_classifier_shadow_verdicts", "Verdicts of the model in the shadow, compared.", "verdict", shadow)
    yield _by(
        "chappe_classifier_second_opinions",
        "Uncertain verdicts, by what a second opinion made of them.",
        "verdict",
        readings.second_opinions,
    )
    model = GaugeMetricFamily("chappe_classifier_model", "1 for the model in use.", labels=("version",))
    model.add_metric((readings.model,), 1)
    yield model
    waiting = GaugeMetricFamily("chappe_reviews_waiting", "Messages held for a person to look at.")
    waiting.add_metric((), readings.reviews_waiting)
    yield waiting


def _by(name: str, text: str, label: str, counts: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(name, text, labels=(label,))
    for value, count in counts.items():
        family.add_metric((value,), count)
    return family
