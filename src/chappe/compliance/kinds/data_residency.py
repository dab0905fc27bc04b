"""data_residency: personal data stay in a region, or leave it only by a way that the law allows."""

from __future__ import annotations

from typing import Literal

import msgspec

from chappe.compliance.facts.recipient import Facts
from chappe.compliance.rule.base import StandingRule
from chappe.compliance.rule.inputs import NOTHING, Input
from chappe.model.customer import CustomerMessage, RuleOutcome
from chappe.model.jurisdictions import EU_LAW_COUNTRIES

_REGIONS = {"EEA": EU_LAW_COUNTRIES}


class ResidencyParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`region` is a country or `EEA`. Data may go to `adequate` countries as well, and anywhere with one of
    `safeguards`.

    `primary_database` asks that the data folder itself lie in the region, whatever the safeguards. `providers` says
    that the sending providers must keep to the rule too. With `large_handlers` it binds only senders whose profile
    says that they are one there. `when_unstated` is what follows where the profile does not say where the data are.
    """

    region: str
    adequate: tuple[str, ...] = ()
    safeguards: tuple[str, ...] = ()
    primary_database: bool = False
    providers: bool = True
    large_handlers: bool = False
    when_unstated: Literal["annotate", "block"] = "annotate"


class ResidencyRule(StandingRule, frozen=True, kw_only=True, tag_field="kind", tag="data_residency"):
    """Blocks messages whose data would go where they may not."""

    parameters: ResidencyParameters

    @property
    def swayed_by(self) -> Input:
        return NOTHING

    def judge(self, message: CustomerMessage, facts: Facts, now_ms: int) -> RuleOutcome:
        asked, sender = self.parameters, facts.sender
        if asked.large_handlers and self.jurisdiction not in sender.large_handler_in:
            return self.kept("the sender is not stated to be a large handler there")
        home = sender.data_region
        if home is None:
            return self._unstated("data_region")
        if asked.primary_database and not self._is_inside(home):
            return self.broken(f"the data folder must lie in {asked.region}, and lies in {home}")
        abroad = [] if self._is_allowed(home) or asked.primary_database else [home]
        if asked.providers:
            if not sender.provider_regions:
                return self._unstated("provider_regions")
            abroad += [place for place in sender.provider_regions if not self._is_allowed(place)]
        if not abroad:
            return self.kept(f"the data stay in {asked.region} or go where they may")
        safeguard = next((name for name in asked.safeguards if name in sender.safeguards), None)
        if safeguard is not None:
            return self.kept(f"the data may leave {asked.region}: {safeguard.replace('_', ' ')}")
        advice = f", or arrange {' or '.join(asked.safeguards)} and name it in senders.NAME.safeguards"
        return self.broken(
            f"the data would go to {', '.join(abroad)}: keep them in {asked.region}"
            + (advice if asked.safeguards else "")
        )

    def _is_inside(self, place: str) -> bool:
        region = self.parameters.region
        return place.partition("-")[0] in _REGIONS.get(region, {region})

    def _is_allowed(self, place: str) -> bool:
        return self._is_inside(place) or place.partition("-")[0] in self.parameters.adequate

    def _unstated(self, setting: str) -> RuleOutcome:
        reason = f"it is not stated where the data are kept: set {setting} of senders.NAME"
        if self.parameters.when_unstated == "block":
            return self.broken(reason)
        return self.noted(reason)
