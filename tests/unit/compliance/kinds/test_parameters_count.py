"""Every parameter that is not for readers only changes what some rule says: none is carried along for show."""

from __future__ import annotations

import copy
from typing import Any

import msgspec
import pytest

from chappe.compliance.kinds import AnyRule
from chappe.compliance.kinds.content_prohibited import ProhibitedRule
from chappe.compliance.kinds.data_minimisation import MinimisationRule
from chappe.compliance.kinds.data_residency import ResidencyRule
from chappe.compliance.kinds.erasure import ErasureRule
from chappe.compliance.kinds.label import LabelRule
from chappe.compliance.kinds.language import LanguageRule
from chappe.compliance.kinds.postal_address import PostalAddressRule
from chappe.compliance.kinds.record_keeping import RecordKeepingRule
from chappe.compliance.kinds.retention_max import RetentionMaxRule
from chappe.compliance.kinds.retention_min import RetentionMinRule
from chappe.compliance.kinds.sender_identity import IdentityRule
from chappe.compliance.kinds.sender_registration import RegistrationRule
from chappe.compliance.kinds.subject_prefix import SubjectPrefixRule
from chappe.compliance.kinds.unsubscribe_mechanism import UnsubscribeRule
from chappe.compliance.rule_files.loading import packaged_rule_files, read_rules
from chappe.compliance.rule_sets.duties import Duties
from chappe.compliance.rule_sets.trying import trials

KINDS: tuple[Any, ...] = (
    UnsubscribeRule,
    IdentityRule,
    PostalAddressRule,
    LabelRule,
    SubjectPrefixRule,
    RegistrationRule,
    ProhibitedRule,
    LanguageRule,
    MinimisationRule,
    ResidencyRule,
    RetentionMinRule,
    RetentionMaxRule,
    ErasureRule,
    RecordKeepingRule,
)
FOR_READERS = {
    "sender_registration.cost",
    "language.not_less_prominent",
    "data_minimisation.log_body",
    "retention_min.form",
    "retention_min.fields",
    "retention_max.age_under",
}
"""Documented as such where they are defined."""
OTHERWISE: dict[str, Any] = {
    "sender_identity.place": "end",
    "postal_address.accept": ("other",),
    "label.position": "anywhere",
    "label.texts": ("another label",),
    "label.by_class": {"promotional": "-X", "transactional": "-Y"},
    "subject_prefix.prefix": "OTHER:",
    "sender_registration.register": "another register",
    "content_prohibited.register": "another register",
    "language.must_include": ("xx",),
    "data_minimisation.redact": (),
    "data_residency.region": "AQ",
    "retention_min.records": (),
    "retention_min.keep": "1d",
    "erasure.complete": "3d",
}
"""A value to put in place of what a rule has, where leaving it out is not possible or would be an error."""
MORE: list[dict[str, Any]] = [
    {
        "id": "test-pattern",
        "kind": "content_prohibited",
        "parameters": {"patterns": ["free money"]},
        "examples": [{"says": "block", "why": "It matches.", "message": {"text": "Get FREE money"}}],
    },
    {
        "id": "test-foreign-purposes",
        "kind": "sender_registration",
        "parameters": {"foreign_purposes": ["transactional"]},
        "examples": [{"says": "block", "why": "Abroad.", "facts": {"sender": {"country": "FR"}}}],
        "jurisdiction": "DE",
    },
    {
        "id": "test-primary-database",
        "kind": "data_residency",
        "parameters": {"region": "RU", "primary_database": True, "safeguards": ["scc"]},
        "examples": [
            {
                "says": "block",
                "why": "No safeguard helps.",
                "facts": {"sender": {"data_region": "DE", "provider_regions": ["RU"], "safeguards": ["scc"]}},
            }
        ],
    },
]
"""Rules for parameters that no shipped rule has."""


def _rules() -> list[AnyRule]:
    base = {
        "jurisdiction": "*",
        "regulation": "A test",
        "citation": "none",
        "channels": ["sms"],
        "applies_to": "promotional",
        "action": "block",
        "severity": "low",
        "summary": "A rule of the tests.",
        "source": "the tests",
        "confidence": "house",
    }
    return [*read_rules(packaged_rule_files()), *(msgspec.convert(base | entry, AnyRule) for entry in MORE)]


RULES = _rules()


def _parameters() -> list[tuple[Any, str]]:
    found = []
    for kind in KINDS:
        (parameters,) = [field for field in msgspec.structs.fields(kind) if field.name == "parameters"]
        names = [field.name for field in msgspec.structs.fields(parameters.type)]
        found += [(kind, name) for name in names if f"{_tag(kind)}.{name}" not in FOR_READERS]
    return found


def _tag(kind: Any) -> str:
    return str(kind.__struct_config__.tag)


def _verdicts(rule: AnyRule) -> list[Any]:
    verdicts: list[Any] = []
    for trial in trials(rule):
        amendments = trial.decision.amendments if hasattr(trial, "decision") else trial.due_ms
        verdicts.append((trial.found, amendments))
    verdicts.append(Duties([rule]).erasure(rule.jurisdiction, 0))
    return verdicts


def _changed(rule: AnyRule, name: str) -> AnyRule:
    parameters = rule.parameters
    (field,) = [field for field in msgspec.structs.fields(type(parameters)) if field.name == name]
    tag = f"{rule.kind}.{name}"
    if tag in OTHERWISE:
        value = OTHERWISE[tag]
    elif field.default_factory is not msgspec.NODEFAULT:
        value = field.default_factory()
    else:
        value = field.default
    other = copy.copy(parameters)
    msgspec.structs.force_setattr(other, name, value)  # whether that makes a rule does not matter here
    return msgspec.structs.replace(rule, parameters=other)


@pytest.mark.parametrize(("kind", "name"), [pytest.param(k, n, id=f"{_tag(k)}.{n}") for k, n in _parameters()])
def test_a_parameter_changes_some_verdict(kind: Any, name: str) -> None:
    for rule in RULES:
        if not isinstance(rule, kind):
            continue
        changed = _changed(rule, name)
        unlike = getattr(changed.parameters, name) != getattr(rule.parameters, name)
        if unlike and _verdicts(changed) != _verdicts(rule):
            return
    pytest.fail("no rule says anything else without it")
