"""[compliance]: which rules decide about messages."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from chappe.compliance.rule.base import Unmet
from chappe.pipeline.rules.starting import ActivationPolicy


class ComplianceSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Which rules decide about messages."""

    rules: Annotated[
        tuple[Path, ...],
        Meta(
            description="Rule files, or folders of them (`*.yaml`), besides those that come with Chappe. A rule "
            "with the id of one of those takes its place."
        ),
    ] = ()
    packaged_rules: Annotated[bool, Meta(description="Whether the rules that come with Chappe hold at all.")] = True
    unmet_requirements: Annotated[
        Unmet,
        Meta(
            description="What follows where a rule requires something of a message that it does not show and that no "
            "`[senders.NAME]` supplies, such as a postal address: `block` stops the message and says what to state; "
            "`annotate` lets it go and puts that on record. Rules that say `unmet` themselves keep to that."
        ),
    ] = "block"
    activate: Annotated[
        ActivationPolicy,
        Meta(
            description="Whether rules that have changed here, or with a new version of Chappe, come into force at the "
            "next start: `automatic`, as long as nobody ever activated a version by hand; `always`; or `never`. They "
            "are stored as a new version in any case. Those of the first start always come into force."
        ),
    ] = ActivationPolicy.AUTOMATIC

    def __post_init__(self) -> None:
        if not self.packaged_rules and not self.rules:
            raise ValueError("packaged_rules: without them there must be rules of your own (rules = [...])")
