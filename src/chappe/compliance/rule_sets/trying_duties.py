"""Running the examples of duty rules: what the rule says of each, beside what it is said to say."""

from __future__ import annotations

import datetime

import msgspec

from chappe.compliance.kinds import AnyDutyRule
from chappe.compliance.rule.duty_examples import DutyExample, Verdict
from chappe.compliance.rule.record_kinds import History
from chappe.compliance.rule_sets.duties import FOR_GOOD_MS, Duties

_DAY_MS = 86_400_000
_EPOCH = datetime.date(1970, 1, 1)


class DutyTrial(msgspec.Struct, frozen=True):
    """An example and what came of it. `due_ms` is the moment that the verdict turns on, if there is one."""

    rule_id: str
    example: DutyExample
    found: Verdict
    due_ms: int | None = None

    @property
    def reason(self) -> str:
        """The verdict in words."""
        if self.due_ms is None or self.due_ms >= FOR_GOOD_MS:
            return f"the rule says {self.found}"
        return f"the rule says {self.found}; the day is {_EPOCH + datetime.timedelta(days=self.due_ms // _DAY_MS)}"

    @property
    def as_told(self) -> bool:
        """Whether the rule says what the example tells."""
        due = self.example.due
        return self.found == self.example.says and (due is None or _day_ms(due) == self.due_ms)


def try_duty_example(rule: AnyDutyRule, example: DutyExample) -> DutyTrial:
    """Ask this rule alone, taken as enabled. Raises `ValueError` for an example that is about nothing."""
    duties = Duties([msgspec.structs.replace(rule, enabled=True)])
    now_ms = _day_ms(example.at)
    place = None if rule.jurisdiction == "*" else rule.jurisdiction
    if example.complaint is not None:
        reactions = duties.reactions(place, example.complaint, now_ms)
        return DutyTrial(rule.id, example, "due" if reactions else "free")
    if example.received is not None:
        return _request(rule.id, duties, place, example, now_ms)
    if example.record is None:
        raise ValueError("an example of a duty names a record, a request (received) or a complaint")
    if example.made is None:
        fields = duties.wanted_fields(place, example.record, now_ms, channel=example.channel, purpose=example.purpose)
        return DutyTrial(rule.id, example, "wanted" if fields else "free")
    return _record(rule.id, duties, place, example, now_ms)


def _request(rule_id: str, duties: Duties, place: str | None, example: DutyExample, now_ms: int) -> DutyTrial:
    assert example.received is not None
    erasure = duties.erasure(place, _day_ms(example.received))
    due_ms = erasure.extended_to_ms if example.extended else erasure.complete_by_ms
    if not example.acknowledged:
        due_ms = erasure.acknowledge_by_ms
    if due_ms is None:
        return DutyTrial(rule_id, example, "free")
    return DutyTrial(rule_id, example, "overdue" if now_ms > due_ms else "due", due_ms)


def _record(rule_id: str, duties: Duties, place: str | None, example: DutyExample, now_ms: int) -> DutyTrial:
    assert example.made is not None
    assert example.record is not None
    history = History(
        made_ms=_day_ms(example.made),
        last_used_ms=_day_ms_or_none(example.last_used),
        last_sent_ms=_day_ms_or_none(example.last_sent),
        last_contact_ms=_day_ms_or_none(example.last_contact),
        relationship_ended_ms=_day_ms_or_none(example.relationship_ended),
    )
    keeping = duties.keeping(
        place,
        example.record,
        history,
        now_ms,
        subject=example.subject,
        channel=example.channel,
        purpose=example.purpose,
        retention_days=example.retention_days,
    )
    if keeping.undefined:
        return DutyTrial(rule_id, example, "undefined")
    due_ms = keeping.by_ms if keeping.until_ms in (None, FOR_GOOD_MS) else keeping.until_ms
    if keeping.must_keep(now_ms):
        return DutyTrial(rule_id, example, "keep", due_ms)
    return DutyTrial(rule_id, example, "delete" if keeping.must_delete(now_ms) else "free", due_ms)


def _day_ms(day: datetime.date) -> int:
    return (day - _EPOCH).days * _DAY_MS


def _day_ms_or_none(day: datetime.date | None) -> int | None:
    return None if day is None else _day_ms(day)
