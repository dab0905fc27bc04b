"""The documents about rule sets that come in."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from chappe.api.rest.messages.documents import EvaluationRequest
from chappe.compliance.rule.base import Jurisdiction, RuleId
from chappe.pipeline.acceptance.request import Moment

DRY_RUN_MESSAGES_MAX = 1_000
_Reason = Annotated[str, Meta(min_length=1, max_length=500, description="Why, for those who read the history.")]
_Version = Annotated[int, Meta(ge=1, le=2**31 - 1)]


class RulesRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Rules to be checked: a whole set or, with `base`, changes to a version."""

    rules: Annotated[
        str,
        Meta(
            description="A rule file in YAML (or JSON): `rules: [...]`. With `base`, a rule takes the place of the one "
            "with its id, or is added."
        ),
    ] = ""
    base: Annotated[_Version | None, Meta(description="The version that is changed.")] = None
    remove: Annotated[
        tuple[RuleId, ...], Meta(max_length=20_000, description="Ids of rules of the base that are left out.")
    ] = ()


class NewRuleSetRequest(RulesRequest, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Rules to be stored as a new version."""

    reason: _Reason


class ActivationRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """For whom a version is put in force. Without `jurisdictions` and `percent`: for everyone."""

    reason: _Reason
    jurisdictions: Annotated[
        tuple[Jurisdiction, ...],
        Meta(max_length=300, description="Only for recipients there (ISO 3166, EU); the others stay where they are."),
    ] = ()
    percent: Annotated[
        Annotated[float, Meta(ge=0.01, le=100)] | None,
        Meta(description="Only for this share of the recipients, always the same ones."),
    ] = None


class RollbackRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A return to what was in force before."""

    reason: _Reason


class DryRunRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What to decide by a version. Without `messages`, what was decided in the last hour."""

    messages: Annotated[
        Annotated[tuple[EvaluationRequest, ...], Meta(min_length=1, max_length=DRY_RUN_MESSAGES_MAX)] | None,
        Meta(description="Messages as for `/v1/messages:evaluate`."),
    ] = None


class BacktestRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which recorded decisions to make again."""

    since: Annotated[Moment | None, Meta(description="Those made at this moment or later; without it, a week.")] = None
    until: Annotated[Moment | None, Meta(description="Those made before this moment; without it, now.")] = None
    against: Annotated[
        _Version | None,
        Meta(description="Compare with what this version says; without it, with the decisions as they were made."),
    ] = None
