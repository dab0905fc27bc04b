"""erasure: by when a person's request to be forgotten is acknowledged and carried out."""

from __future__ import annotations

import msgspec

from chappe.compliance.calendar.periods import Period, end_of
from chappe.compliance.rule.base import DutyRule
from chappe.compliance.rule.duty_examples import DutyExample


class ErasureParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A request is confirmed within `acknowledge` and carried out within `complete`, or, where the person was told why
    it takes longer, `extension` later. With `keep_suppression` the one thing that stays is what keeps the address from
    being written to again.
    """

    complete: Period
    acknowledge: Period | None = None
    extension: Period | None = None
    keep_suppression: bool = False


class ErasureRule(DutyRule, frozen=True, kw_only=True, tag_field="kind", tag="erasure"):
    """What to do with a request, and by when."""

    parameters: ErasureParameters
    examples: tuple[DutyExample, ...] = ()  # type: ignore[assignment]

    def acknowledge_by_ms(self, received_ms: int) -> int | None:
        """By when receipt is confirmed; None where nothing is said of that."""
        period = self.parameters.acknowledge
        return None if period is None else end_of(received_ms, period)

    def complete_by_ms(self, received_ms: int, *, extended: bool = False) -> int:
        """By when the request is carried out."""
        asked = self.parameters
        end_ms = end_of(received_ms, asked.complete)
        return end_of(end_ms, asked.extension) if extended and asked.extension is not None else end_ms
