"""Every setting there is. The descriptions are what docs/settings.md shows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from chappe.api.limits import HttpLimits
from chappe.channels.public_address import LOOPBACK_NAMES, is_loopback
from chappe.channels.settings import ProviderSettings, SandboxSettings, WebhookSettings
from chappe.compliance.opt_out.answers import packaged_answers, read_answers
from chappe.compliance.rule import Unmet
from chappe.compliance.sender import SenderProfile
from chappe.compliance.senders import Senders
from chappe.config.classify import ClassifySettings
from chappe.engine.embedded.engine import DEFAULT_RESERVE_BYTES
from chappe.model.customer import Channel
from chappe.observe.audit import log as audit_log
from chappe.observe.audit.retention import RetentionPolicy
from chappe.pipeline import context as pipeline_context
from chappe.pipeline import inbound_effects, retention
from chappe.pipeline.backoff import RetryPolicy
from chappe.pipeline.breaker import BreakerPolicy
from chappe.pipeline.rules.starting import ActivationPolicy
from chappe.security.principal import DEFAULT_ACCOUNT, DEFAULT_REGION


class ServerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the server listens and keeps its data."""

    host: Annotated[str, Meta(min_length=1, description="Address to listen on.")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="Port to listen on; 0 takes any free one.")] = 9324
    data: Annotated[
        Path,
        Meta(description="Folder of everything that is kept: queues, records, keys. Made at the first start."),
    ] = Path("chappe-data")
    public_url: Annotated[
        str | None,
        Meta(
            description="Where others reach this server, such as `https://messages.acme.example`. Queue URLs and the "
            "unsubscribe links of promotional messages begin with it. Without it, links name `host` and `port` if "
            "that is a loopback address; otherwise there are none: rules then stop promotional e-mail, and the "
            "server says so when it starts. Without TLS (`http://`) it must be this machine."
        ),
    ] = None
    open: Annotated[
        bool,
        Meta(description="Accept any credentials, for trying things out. Refused unless `host` is a loopback address."),
    ] = False

    shutdown_seconds: Annotated[
        float, Meta(ge=0, description="How long requests under way may take to finish when the server stops.")
    ] = 10.0

    def __post_init__(self) -> None:
        if self.open and not _on_this_machine(self.host):
            raise ValueError(f"open: accepts anyone, so host must be a loopback address, not {self.host}")
        if self.public_url is not None:
            _check_public_url(self.public_url)

    @property
    def is_local(self) -> bool:
        """Whether only this machine reaches the server directly."""
        return _on_this_machine(self.host)

    @property
    def links_url(self) -> str | None:
        """Where links in messages lead: `public_url`, or this server itself if only this machine reaches it."""
        if self.public_url is not None or not _on_this_machine(self.host) or self.port == 0:
            return self.public_url
        return f"http://[{self.host}]:{self.port}" if ":" in self.host else f"http://{self.host}:{self.port}"


class AwsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the names (ARNs) and URLs of the AWS APIs contain."""

    region: Annotated[str, Meta(pattern="^[a-z0-9-]{1,64}$", description="Region in ARNs and queue URLs.")] = (
        DEFAULT_REGION
    )
    account: Annotated[
        str,
        Meta(pattern="^[0-9]{12}$", description="Account of the first access key, and of everyone with `open`."),
    ] = DEFAULT_ACCOUNT
    recreate_after_seconds: Annotated[
        int,
        Meta(
            ge=0,
            le=3600,
            description="How long the name of a deleted queue cannot be used again. Amazon SQS: 60. The default lets "
            "tests and deployments delete and create at once.",
        ),
    ] = 0


_HTTP = HttpLimits()


class LimitSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds on what one client may make the server hold or wait for."""

    connections: Annotated[int, Meta(ge=1, description="Most HTTP connections at once.")] = _HTTP.connections
    head_bytes: Annotated[int, Meta(ge=1024, le=1_048_576, description="Largest head of a request.")] = _HTTP.head_bytes
    headers: Annotated[int, Meta(ge=20, le=10_000, description="Most header fields of a request.")] = _HTTP.headers
    aws_body_bytes: Annotated[
        int,
        Meta(
            ge=1024,
            description="Largest body of a request to the AWS APIs. A message of 1 MiB may grow sixfold when "
            "each of its characters is escaped in JSON.",
        ),
    ] = _HTTP.aws_body_bytes
    rest_body_bytes: Annotated[int, Meta(ge=1024, description="Largest body of a request to the REST API.")] = (
        _HTTP.rest_body_bytes
    )
    upload_body_bytes: Annotated[
        int, Meta(ge=1024, description="Largest list to import, as it is sent; it goes to the data folder's disk.")
    ] = _HTTP.upload_body_bytes
    incomplete_bodies_bytes: Annotated[
        int, Meta(ge=1024, description="Most memory for bodies that have not arrived in full, all together.")
    ] = _HTTP.incomplete_bodies_bytes
    head_seconds: Annotated[float, Meta(gt=0, description="Time in which a request's head must have arrived.")] = (
        _HTTP.head_seconds
    )
    request_seconds: Annotated[
        float, Meta(gt=0, description="Time in which a whole request must have arrived, from its first byte.")
    ] = _HTTP.request_seconds
    upload_seconds: Annotated[
        float, Meta(gt=0, description="Time in which a list to import must have arrived, from its first byte.")
    ] = _HTTP.upload_seconds
    idle_seconds: Annotated[float, Meta(gt=0, description="How long a connection may stay open between requests.")] = (
        _HTTP.idle_seconds
    )
    stalled_seconds: Annotated[float, Meta(gt=0, description="How long a client may leave an answer unread.")] = (
        _HTTP.stalled_seconds
    )
    linger_seconds: Annotated[
        float,
        Meta(
            ge=0, description="How long a refused client is listened to, so that it can read why, before it is cut off."
        ),
    ] = _HTTP.linger_seconds

    @property
    def http(self) -> HttpLimits:
        """The same for the HTTP server."""
        return HttpLimits(**msgspec.structs.asdict(self))


_PIPELINE = pipeline_context.PipelineSettings()
_RETRY = _PIPELINE.retry
_BREAKER = _PIPELINE.breaker


class PipelineSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How often and when a message is tried again, and when a provider is left alone."""

    max_attempts: Annotated[
        int,
        Meta(
            ge=1, le=100, description="Attempts at one message, over all providers of its route, before it is given up."
        ),
    ] = _RETRY.attempts
    min_backoff_ms: Annotated[int, Meta(ge=0, le=3_600_000, description="Shortest wait before another attempt.")] = (
        _RETRY.floor_ms
    )
    first_backoff_ms: Annotated[
        int, Meta(ge=1, le=3_600_000, description="Longest wait before the second attempt.")
    ] = _RETRY.first_ms
    backoff_factor: Annotated[
        float, Meta(ge=1, le=100, description="By how much the longest wait grows with each attempt.")
    ] = _RETRY.factor
    max_backoff_ms: Annotated[int, Meta(ge=1, le=86_400_000, description="Where the longest wait stops growing.")] = (
        _RETRY.cap_ms
    )
    recipient_backoff_ms: Annotated[
        int,
        Meta(
            ge=1,
            le=86_400_000,
            description="Shortest wait before the second attempt when a mail server refused only this recipient for "
            "the time being (greylisting, a full mailbox). It grows by `backoff_factor`.",
        ),
    ] = _RETRY.recipient_first_ms
    max_recipient_backoff_ms: Annotated[
        int, Meta(ge=1, le=86_400_000, description="Where that wait stops growing.")
    ] = _RETRY.recipient_cap_ms
    max_retry_after_ms: Annotated[
        int, Meta(ge=0, le=604_800_000, description="How far a provider's own wish (Retry-After) is kept to.")
    ] = _RETRY.asked_cap_ms
    max_unreachable_ms: Annotated[
        int,
        Meta(
            ge=1,
            le=2_592_000_000,
            description="How long a message waits, using up no attempts, while every provider of its route is "
            "being left alone.",
        ),
    ] = _RETRY.patience_ms
    breaker_failures: Annotated[
        int, Meta(ge=1, le=10_000, description="Temporary failures in a row after which a provider is left alone.")
    ] = _BREAKER.failures_to_open
    breaker_open_ms: Annotated[
        int, Meta(ge=1, le=86_400_000, description="For how long at first; twice as long after each failed trial.")
    ] = _BREAKER.open_ms
    breaker_max_open_ms: Annotated[int, Meta(ge=1, le=86_400_000, description="For how long at most.")] = (
        _BREAKER.open_cap_ms
    )

    stop_grace_seconds: Annotated[
        float, Meta(ge=0, le=3600, description="How long attempts under way may take to end when the server stops.")
    ] = _PIPELINE.stop_grace_seconds

    def __post_init__(self) -> None:
        if self.min_backoff_ms > self.first_backoff_ms:
            raise ValueError(
                f"min_backoff_ms: the shortest wait, {self.min_backoff_ms}, must not exceed first_backoff_ms, "
                f"{self.first_backoff_ms}"
            )


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


class AuditSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How the audit log is kept."""

    retention_days: Annotated[
        int,
        Meta(
            ge=1,
            le=36_525,
            description="How long decisions are kept, unless `retention` says otherwise. Five years outlast the limits "
            "for claims in most places. What is older leaves its hash, so that the rest can still be verified.",
        ),
    ] = 1_826
    retention: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?=[1-9][0-9]{0,4}$")], ...],
        Meta(
            description='How many days decisions under a jurisdiction are kept, such as `["DE=1096", "US-CA=1826"]`. '
            "A region without an entry goes by its country's."
        ),
    ] = ()
    checkpoint_seconds: Annotated[
        float,
        Meta(
            gt=0,
            le=86_400,
            description="How often the log is signed. What has been signed cannot be changed or cut off unnoticed.",
        ),
    ] = 60.0
    segment_records: Annotated[
        int,
        Meta(
            ge=1_000,
            le=4_000_000,
            description="Records are moved from the database into files when so many have come together, or at the end "
            "of the day (UTC). Needs the extra `chappe[audit]`; without it they stay in the database.",
        ),
    ] = 131_072

    @property
    def log_settings(self) -> audit_log.AuditSettings:
        """The same for the audit log."""
        days = dict(entry.split("=") for entry in self.retention)
        policy = RetentionPolicy(self.retention_days, {place: int(count) for place, count in days.items()})
        return audit_log.AuditSettings(policy, self.checkpoint_seconds, self.segment_records)


_Days = Annotated[int, Meta(ge=1, le=36_525)]


class RetentionSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How long records are kept besides the audit log. Without a value they are kept for good.

    What a rule in force asks to be kept (`retention_min`, `record_keeping`) is kept at least as long, and so is what a
    legal hold covers. Requests to stop and suppressions are never removed by age: the objections in them still hold.
    """

    messages_days: Annotated[
        _Days | None, Meta(description="Messages that have come to an end, with their timelines and contents.")
    ] = None
    contents_days: Annotated[
        _Days | None, Meta(description="What messages said; the rest stays, without subject, text, data and metadata.")
    ] = None
    inbound_days: Annotated[_Days | None, Meta(description="Texts that people sent.")] = None
    consents_days: Annotated[
        _Days | None,
        Meta(description="Entries of consent records that have expired, or were followed by another about the same."),
    ] = None

    def for_pipeline(self) -> retention.RetentionSettings:
        """The same for the pipeline."""
        return retention.RetentionSettings(**msgspec.structs.asdict(self))


class InboundSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How texts that people send (`POST /v1/inbound`) are read and answered."""

    keywords: Annotated[
        tuple[str, ...], Meta(description="Further words that mean an opt-out when they are the whole text.")
    ] = ()
    confirm_opt_outs: Annotated[
        bool, Meta(description="Whether an opt-out is confirmed: once, within five minutes, without advertising.")
    ] = True
    answer_starts: Annotated[bool, Meta(description="Whether START is answered.")] = True
    answer_help: Annotated[bool, Meta(description="Whether HELP is answered.")] = True
    answers: Annotated[
        Path | None,
        Meta(
            description="A YAML file of texts by language (`opt_out`, `opt_in`, `help`, `support`) that take the place "
            "of those that come with Chappe. `{brand}` is the name in the sender's profile, `{support}` its telephone "
            "number, mail address or website."
        ),
    ] = None

    def for_pipeline(self) -> inbound_effects.InboundSettings:
        """The same for the pipeline. Raises `InvalidConfiguration` for a file that cannot be used."""
        return inbound_effects.InboundSettings(
            confirm_opt_outs=self.confirm_opt_outs,
            answer_starts=self.answer_starts,
            answer_help=self.answer_help,
            answers=packaged_answers() if self.answers is None else read_answers(self.answers),
            keywords=self.keywords,
        )


class StorageSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How the data folder is kept."""

    reserve_bytes: Annotated[
        int,
        Meta(
            ge=0,
            description="Disk space set aside. When the disk is full it is given up: new messages are refused, "
            "and those already taken can still be received and deleted.",
        ),
    ] = DEFAULT_RESERVE_BYTES


Route = tuple[str, ...] | None


class RouteSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Which providers carry a channel, in the order in which they are tried.

    A channel without a route of its own takes all configured providers made for it, in the order of the file;
    `webhook` and `sandbox` take the built-in providers of these names.
    """

    email: Annotated[Route, Meta(description="Providers for e-mail.")] = None
    sms: Annotated[Route, Meta(description="Providers for text messages.")] = None
    push: Annotated[Route, Meta(description="Providers for push notifications.")] = None
    webhook: Annotated[Route, Meta(description="Providers for webhooks.")] = None
    voice: Annotated[Route, Meta(description="Providers for voice calls.")] = None
    in_app: Annotated[Route, Meta(description="Providers for in-app messages.")] = None
    sandbox: Annotated[Route, Meta(description="Providers for the sandbox channel.")] = None


class RegionSettings(RouteSettings, frozen=True, kw_only=True):
    """A pipeline of its own for the recipients of some jurisdictions: with queues, workers and providers of its own."""

    jurisdictions: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")], ...],
        Meta(
            min_length=1,
            description='Whose recipients it is for: ISO 3166 codes with all that lies in them, as `["RU", "US-CA"]`. '
            "`EU` is every country under its law. The closest of all regions counts.",
        ),
    ]
    provider_regions: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")], ...],
        Meta(
            description="The countries in which the region's providers handle what they are given, for rules about "
            "where data may go. Without it what the sender's profile says of its providers."
        ),
    ] = ()


_MARGIN_SECONDS = 10.0
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
            for name in self._stated_route(channel) or ():
                self._check_route("routes", channel, name)
        self._check_regions()

    @property
    def channel_routes(self) -> dict[Channel, tuple[str, ...]]:
        """The names of the providers of each channel that has any, in the order in which they are tried."""
        routes = {channel: self._route(channel) for channel in Channel}
        return {channel: route for channel, route in routes.items() if route}

    @property
    def pipeline_settings(self) -> pipeline_context.PipelineSettings:
        """The same for the pipeline."""
        told = self.pipeline
        return pipeline_context.PipelineSettings(
            retry=RetryPolicy(
                attempts=told.max_attempts,
                floor_ms=told.min_backoff_ms,
                first_ms=told.first_backoff_ms,
                factor=told.backoff_factor,
                cap_ms=told.max_backoff_ms,
                recipient_first_ms=told.recipient_backoff_ms,
                recipient_cap_ms=told.max_recipient_backoff_ms,
                asked_cap_ms=told.max_retry_after_ms,
                patience_ms=told.max_unreachable_ms,
            ),
            breaker=BreakerPolicy(
                failures_to_open=told.breaker_failures,
                open_ms=told.breaker_open_ms,
                open_cap_ms=told.breaker_max_open_ms,
            ),
            max_concurrent={name: provider.concurrency for name, provider in self.providers.items()},
            # Providers end their attempts themselves; this is for one that does not.
            provider_timeout_seconds=_MARGIN_SECONDS + max(p.timeout_seconds for p in self.providers.values()),
            stop_grace_seconds=told.stop_grace_seconds,
            inbound=self.inbound.for_pipeline(),
            activate_rules=self.compliance.activate,
        )

    def _route(self, channel: Channel) -> tuple[str, ...]:
        stated = self._stated_route(channel)
        if stated is not None:
            return stated
        of_regions = {name for region in self.regions.values() for name in _route_of(region, channel) or ()}
        made_for_it = tuple(
            name
            for name, provider in self.providers.items()
            if provider.channels == {channel} and name not in BUILT_IN_PROVIDERS and name not in of_regions
        )
        if not made_for_it and channel.value in BUILT_IN_PROVIDERS:
            return (channel.value,)
        return made_for_it

    def _stated_route(self, channel: Channel) -> Route:
        return _route_of(self.routes, channel)

    @property
    def region_routes(self) -> dict[str, dict[Channel, tuple[str, ...]]]:
        """The names of the providers of each channel of each region: only those that it names."""
        return {
            name: {channel: route for channel in Channel if (route := _route_of(region, channel))}
            for name, region in self.regions.items()
        }

    @property
    def regions_handled_in(self) -> dict[str, tuple[str, ...]]:
        """The countries in which the providers of regions handle data, by the jurisdictions of these."""
        return {place: region.provider_regions for region in self.regions.values() for place in region.jurisdictions}

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
                for provider in _route_of(region, channel) or ():
                    self._check_route(f"regions.{name}", channel, provider)

    def _check_route(self, place: str, channel: Channel, name: str) -> None:
        provider = self.providers.get(name)
        if provider is None:
            known = ", ".join(sorted(self.providers))
            raise ValueError(f"{place}.{channel}: there is no provider {name!r}; there are: {known}")
        if channel not in provider.channels:
            raise ValueError(f"{place}.{channel}: the provider {name!r} does not serve this channel")


def _route_of(routes: RouteSettings, channel: Channel) -> Route:
    route: Route = getattr(routes, channel.value)
    return route


def _on_this_machine(host: str) -> bool:
    return host.lower() in LOOPBACK_NAMES or is_loopback(host)


def _check_public_url(text: str) -> None:
    url = urlsplit(text)
    if url.scheme not in ("https", "http") or not url.hostname or url.query or url.fragment or url.username:
        raise ValueError(f"public_url: {text!r} is not of the form https://host[:port][/path]")
    if url.scheme == "http" and not _on_this_machine(url.hostname):
        raise ValueError("public_url: must start with https:// unless it is this machine")
