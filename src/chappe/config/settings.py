"""Every setting there is, and what holds between sections. Each section is a file of `chappe.config.sections`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from chappe.channels.settings import ProviderSettings, SandboxSettings, WebhookSettings
from chappe.compliance.places.jurisdictions import fault_of
from chappe.compliance.sender.profile import SenderProfile
from chappe.compliance.sender.senders import Senders
from chappe.config.sections.audit import AuditSettings
from chappe.config.sections.aws import AwsSettings
from chappe.config.sections.classify import ClassifySettings
from chappe.config.sections.compliance import ComplianceSettings
from chappe.config.sections.inbound import InboundSettings
from chappe.config.sections.limits import LimitSettings
from chappe.config.sections.pipeline import PipelineSettings
from chappe.config.sections.retention import RetentionSettings
from chappe.config.sections.routes import RegionSettings, RouteSettings
from chappe.config.sections.server import ServerSettings
from chappe.config.sections.storage import StorageSettings
from chappe.model.customer import Channel
from chappe.pipeline import context as pipeline_context

_ATTEMPT_MARGIN_SECONDS = 10.0
"""Providers end their attempts themselves; this much later one that does not is ended."""
_REGION_NAME_MAX = 40
"""So that the names of its queues are within the limit of SQS."""

BUILT_IN_PROVIDERS: dict[str, ProviderSettings] = {
    "webhook": WebhookSettings(),
    "sandbox": SandboxSettings(),
}


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """All settings, section by section. `providers` always includes the built-in ones."""

    server: ServerSettings = ServerSettings()
    aws: AwsSettings = AwsSettings()
    limits: LimitSettings = LimitSettings()
    storage: StorageSettings = StorageSettings()
    pipeline: PipelineSettings = PipelineSettings()
    compliance: ComplianceSettings = ComplianceSettings()
    classify: ClassifySettings = ClassifySettings()
    inbound: InboundSettings = InboundSettings()
    audit: AuditSettings = AuditSettings()
    retention: RetentionSettings = RetentionSettings()
    routes: RouteSettings = RouteSettings()
    regions: dict[str, RegionSettings] = {}
    senders: dict[str, SenderProfile] = {}
    providers: dict[str, ProviderSettings] = msgspec.field(default_factory=lambda: dict(BUILT_IN_PROVIDERS))

    def __post_init__(self) -> None:
        missing = {name: provider for name, provider in BUILT_IN_PROVIDERS.items() if name not in self.providers}
        msgspec.structs.force_setattr(self, "providers", {**self.providers, **missing})
        try:
            Senders(self.senders)
        except ValueError as error:
            raise ValueError(f"senders: {error}") from None
        for channel in Channel:
            for name in self.routes.of(channel) or ():
                self._check_route("routes", channel, name)
        self._check_regions()
        self._check_places()

    @property
    def channel_routes(self) -> dict[Channel, tuple[str, ...]]:
        """The names of the providers of each channel that has any, in the order in which they are tried."""
        routes = {channel: self._route(channel) for channel in Channel}
        return {channel: route for channel, route in routes.items() if route}

    @property
    def pipeline_settings(self) -> pipeline_context.PipelineSettings:
        """The same for the pipeline."""
        return pipeline_context.PipelineSettings(
            retry=self.pipeline.retry,
            breaker=self.pipeline.breaker,
            max_concurrent={name: provider.concurrency for name, provider in self.providers.items()},
            provider_timeout_seconds=_ATTEMPT_MARGIN_SECONDS + max(p.timeout_seconds for p in self.providers.values()),
            stop_grace_seconds=self.pipeline.stop_grace_seconds,
            inbound=self.inbound.for_pipeline(),
            activate_rules=self.compliance.activate,
        )

    @property
    def region_routes(self) -> dict[str, dict[Channel, tuple[str, ...]]]:
        """The names of the providers of each channel of each region: only those that it names."""
        return {
            name: {channel: route for channel in Channel if (route := region.of(channel))}
            for name, region in self.regions.items()
        }

    @property
    def regions_handled_in(self) -> dict[str, tuple[str, ...]]:
        """The countries in which the providers of regions handle data, by the jurisdictions of these."""
        return {place: region.provider_regions for region in self.regions.values() for place in region.jurisdictions}

    def _route(self, channel: Channel) -> tuple[str, ...]:
        stated = self.routes.of(channel)
        if stated is not None:
            return stated
        of_regions = {name for region in self.regions.values() for name in region.of(channel) or ()}
        made_for_it = tuple(
            name
            for name, provider in self.providers.items()
            if provider.channels == {channel} and name not in BUILT_IN_PROVIDERS and name not in of_regions
        )
        if not made_for_it and channel.value in BUILT_IN_PROVIDERS:
            return (channel.value,)
        return made_for_it

    def _check_regions(self) -> None:
        taken: dict[str, str] = {}
        for name, region in self.regions.items():
            if len(name) > _REGION_NAME_MAX:
                raise ValueError(f"regions.{name}: a region's name has at most {_REGION_NAME_MAX} characters")
            for place in region.jurisdictions:
                if place in taken:
                    raise ValueError(f"regions.{name}.jurisdictions: {place} belongs to the region {taken[place]!r}")
                taken[place] = name
            for channel in Channel:
                for provider in region.of(channel) or ():
                    self._check_route(f"regions.{name}", channel, provider)

    def _check_places(self) -> None:
        for setting, places in self._places():
            for place in places:
                if (fault := fault_of(place)) is not None:
                    raise ValueError(f"{setting}: {fault}")

    def _places(self) -> Iterator[tuple[str, Iterable[str]]]:
        yield "audit.retention", self.audit.days_by_place
        for name, region in self.regions.items():
            yield f"regions.{name}.jurisdictions", region.jurisdictions
            yield f"regions.{name}.provider_regions", region.provider_regions
        for name, sender in self.senders.items():
            yield f"senders.{name}.country", filter(None, [sender.country])
            yield f"senders.{name}.data_region", filter(None, [sender.data_region])
            yield f"senders.{name}.provider_regions", sender.provider_regions
            yield f"senders.{name}.large_handler_in", sender.large_handler_in
            yield f"senders.{name}.registrations", [entry.country for entry in sender.registrations]

    def _check_route(self, place: str, channel: Channel, name: str) -> None:
        provider = self.providers.get(name)
        if provider is None:
            known = ", ".join(sorted(self.providers))
            raise ValueError(f"{place}.{channel}: there is no provider {name!r}; there are: {known}")
        if channel not in provider.channels:
            raise ValueError(f"{place}.{channel}: the provider {name!r} does not serve this channel")
