"""The kinds of rule, one module each. A rule file's `kind` chooses among `AnyRule`; a kind not listed here is
refused.

To add a kind: write its parameters and its pure function in a module of its own, on `StandingRule` or
`HoursRule`, add it to `AnyRule`, and give it examples in the tests.
"""

from __future__ import annotations

from chappe.compliance.kinds.age_gate import AgeRule
from chappe.compliance.kinds.consent_required import ConsentRule
from chappe.compliance.kinds.content_prohibited import ProhibitedRule
from chappe.compliance.kinds.data_minimisation import MinimisationRule
from chappe.compliance.kinds.data_residency import ResidencyRule
from chappe.compliance.kinds.day_ban import DayBanRule
from chappe.compliance.kinds.dnc_registry import RegistryRule
from chappe.compliance.kinds.double_opt_in import DoubleOptInRule
from chappe.compliance.kinds.erasure import ErasureRule
from chappe.compliance.kinds.frequency_cap import FrequencyCapRule
from chappe.compliance.kinds.label import LabelRule
from chappe.compliance.kinds.language import LanguageRule
from chappe.compliance.kinds.legitimate_purpose import PurposeRule
from chappe.compliance.kinds.opt_out_honour import OptOutRule
from chappe.compliance.kinds.opt_out_keyword import KeywordRule
from chappe.compliance.kinds.postal_address import PostalAddressRule
from chappe.compliance.kinds.preference import PreferenceRule
from chappe.compliance.kinds.quiet_hours import QuietHoursRule
from chappe.compliance.kinds.record_keeping import RecordKeepingRule
from chappe.compliance.kinds.restriction import RestrictionRule
from chappe.compliance.kinds.retention_max import RetentionMaxRule
from chappe.compliance.kinds.retention_min import RetentionMinRule
from chappe.compliance.kinds.sender_identity import IdentityRule
from chappe.compliance.kinds.sender_registration import RegistrationRule
from chappe.compliance.kinds.subject_prefix import SubjectPrefixRule
from chappe.compliance.kinds.suppression import SuppressionRule
from chappe.compliance.kinds.unsubscribe_mechanism import UnsubscribeRule

AnyDutyRule = ErasureRule | RecordKeepingRule | RetentionMaxRule | RetentionMinRule
"""The kinds that are asked about records and requests."""

AnyRule = (
    SuppressionRule
    | RestrictionRule
    | PreferenceRule
    | ConsentRule
    | DoubleOptInRule
    | OptOutRule
    | KeywordRule
    | AgeRule
    | PurposeRule
    | QuietHoursRule
    | DayBanRule
    | FrequencyCapRule
    | RegistryRule
    | ProhibitedRule
    | MinimisationRule
    | ResidencyRule
    | LabelRule
    | LanguageRule
    | PostalAddressRule
    | IdentityRule
    | RegistrationRule
    | SubjectPrefixRule
    | UnsubscribeRule
    | AnyDutyRule
)
"""Every kind that can be written in a rule file."""

__all__ = [
    "AgeRule",
    "AnyDutyRule",
    "AnyRule",
    "ConsentRule",
    "DayBanRule",
    "DoubleOptInRule",
    "ErasureRule",
    "FrequencyCapRule",
    "IdentityRule",
    "KeywordRule",
    "LabelRule",
    "LanguageRule",
    "MinimisationRule",
    "OptOutRule",
    "PostalAddressRule",
    "PreferenceRule",
    "ProhibitedRule",
    "PurposeRule",
    "QuietHoursRule",
    "RecordKeepingRule",
    "RegistrationRule",
    "RegistryRule",
    "ResidencyRule",
    "RestrictionRule",
    "RetentionMaxRule",
    "RetentionMinRule",
    "SubjectPrefixRule",
    "SuppressionRule",
    "UnsubscribeRule",
]
