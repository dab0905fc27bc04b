"""From suppressions and consents to the documents that go out."""

from __future__ import annotations

from chappe.api.rest.people.consent_details import details_document
from chappe.api.rest.people.documents import ConsentView, SuppressionView
from chappe.api.rest.presenting import as_stored, moment, moment_or_none
from chappe.compliance.facts.recipient import ConsentLevel
from chappe.records import ids
from chappe.records.people import ConsentRecord, SuppressionRecord


def suppression_view(record: SuppressionRecord) -> SuppressionView:
    """A suppression as it is in force."""
    return SuppressionView(
        id=ids.key_text(ids.SUPPRESSION, record.key),
        to=as_stored(record.to),
        reason=record.reason,
        created_at=moment(record.created_at_ms),
        channel=record.channel,
        purpose=record.purpose,
    )


def consent_view(record: ConsentRecord) -> ConsentView:
    """An entry of a consent record. An agreement whose strength nobody stated is shown as express."""
    return ConsentView(
        id=ids.key_text(ids.CONSENT, record.key),
        person=as_stored(record.to),
        purpose=record.purpose,
        granted=record.granted,
        recorded_at=moment(record.recorded_at_ms),
        channel=record.channel,
        level=record.level or (ConsentLevel.EXPRESS.value if record.granted else None),
        proof=record.proof,
        source=record.source,
        expires_at=moment_or_none(record.expires_at_ms),
        details=details_document(record.details),
    )
