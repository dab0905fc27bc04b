"""What a scrape of the metrics shows of the classifier."""

from __future__ import annotations

from chappe.classify.second.consulting import Consultant
from chappe.observe.classifier_metrics import ClassifierReadings, SenderReading
from chappe.pipeline.context import Context


async def classifier_readings(context: Context) -> ClassifierReadings | None:
    """Its counts as they are now; None where content is not judged."""
    check = context.content
    if check is None:
        return None
    serving, shadow = check.serving, check.serving.shadow
    return ClassifierReadings(
        model=serving.model.version,
        labels={label.value: count for label, count in check.drift.labels.items()},
        treatments={treatment.value: count for treatment, count in check.drift.treatments.items()},
        cache_hits=serving.hits,
        cache_misses=serving.misses,
        senders=[
            SenderReading(entry.sender, entry.judged, entry.uncertain, entry.disagreeing)
            for entry in check.drift.senders()
        ],
        shadow=None if shadow is None else shadow.version,
        compared=0 if shadow is None else shadow.compared,
        disagreed=0 if shadow is None else shadow.disagreed,
        second_opinions=_second_opinions(check.consultant),
        reviews_waiting=await context.records.reviews.waiting_count(),
    )


def _second_opinions(consultant: Consultant | None) -> dict[str, int]:
    if consultant is None:
        return {}
    same = consultant.asked - consultant.changed
    return {"same": same, "other": consultant.changed, "passed_over": consultant.passed_over}
