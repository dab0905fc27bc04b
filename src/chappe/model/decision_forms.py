"""What is made of a decision again and again, made once: its JSON, its reasons for searching.

Most messages get a decision that others got before, as one object (see `compliance.rule_sets.editions.Settled`). It is
written three or four times for each: into the answer, the timeline and two records of the audit log.
"""

from __future__ import annotations

import msgspec

from chappe.model.customer import Decision

_KEPT = 2_048
_encoder = msgspec.json.Encoder()


class DecisionForms:
    """Forms of one decision. `json` stands for the decision where one is encoded; `reasons` are all in lower case."""

    __slots__ = ("decision", "json", "reasons")

    def __init__(self, decision: Decision) -> None:
        self.decision = decision
        self.json = msgspec.Raw(_encoder.encode(decision))
        self.reasons = "\n".join([rule.reason for rule in decision.rules]).lower()


_forms: dict[int, DecisionForms] = {}
"""By identity, because to compare two decisions costs as much as to encode one. An entry keeps its decision alive, so
that no other gets the same identity meanwhile."""


def forms_of(decision: Decision) -> DecisionForms:
    """The forms of a decision. May be called in any thread."""
    found = _forms.get(id(decision))
    if found is not None and found.decision is decision:
        return found
    if len(_forms) >= _KEPT:
        _forms.clear()
    forms = _forms[id(decision)] = DecisionForms(decision)
    return forms
