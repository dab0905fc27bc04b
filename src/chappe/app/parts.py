"""From the configuration to the parts of a server: each made alone, and started by nobody here."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

import structlog

from chappe.channels.base import Provider
from chappe.classify.artefact import packaged_model
from chappe.classify.moderation import load_moderator
from chappe.classify.second.consulting import consultant
from chappe.classify.serving import Serving
from chappe.compliance.rule_sets.rule_set import RuleSet, load_rule_set
from chappe.compliance.rule_sets.unmet import leniently
from chappe.compliance.sender.senders import Senders
from chappe.config import Config
from chappe.model.customer import Channel
from chappe.model.errors import InvalidConfiguration
from chappe.pipeline.content.checking import ContentCheck
from chappe.pipeline.delivery.unsubscribe import UnsubscribeLinks
from chappe.pipeline.regions import Region
from chappe.security import server_secret

_log = structlog.get_logger("chappe")


def load_rules(config: Config) -> RuleSet:
    """The rules that come with Chappe and those of the configuration. Raises `InvalidRules`, `InvalidConfiguration`."""
    settings = config.compliance
    if settings.rules:
        rules = load_rule_set(settings.rules, beside_packaged=settings.packaged_rules)
    else:
        rules = load_rule_set()
    if settings.unmet_requirements == "block":
        return rules
    return RuleSet(tuple(leniently(rule) for rule in rules.rules), rules.version)


def content_check(config: Config, senders: Senders) -> ContentCheck | None:
    """What judges content, or None where nothing does. Raises `InvalidConfiguration`."""
    settings = config.classify
    if not settings.enabled:
        return None
    moderator = load_moderator(settings.moderation_lists, off=settings.moderation_off)
    unknown = set(settings.policy.moderation) - set(moderator.categories)
    if unknown:
        known = ", ".join(moderator.categories)
        raise InvalidConfiguration(
            f"classify.moderation: there is no category {sorted(unknown)[0]!r}; there are: {known}"
        )
    second = None
    if settings.second_opinion is not None:
        second = consultant(settings.second_opinion, settings.embedding)
    return ContentCheck(Serving(packaged_model()), settings.policy, moderator, senders, second)


def routes(config: Config, providers: dict[str, Provider]) -> dict[Channel, list[Provider]]:
    """The providers of each channel, in the order in which they are tried."""
    return {channel: [providers[name] for name in names] for channel, names in config.channel_routes.items()}


def regions(config: Config, providers: dict[str, Provider]) -> list[Region]:
    """The pipelines of their own that some jurisdictions have."""
    return [
        Region(
            name,
            config.regions[name].jurisdictions,
            {channel: [providers[provider] for provider in route] for channel, route in routes.items()},
        )
        for name, routes in config.region_routes.items()
    ]


def unsubscribe_links(config: Config) -> UnsubscribeLinks:
    """The links that e-mail carries; says so in the log where there can be none."""
    url = config.server.links_url
    if url is None and Channel.EMAIL in config.channel_routes:
        _log.warning(
            "no_unsubscribe_links",
            reason="There are no unsubscribe links, which many laws and mailbox providers demand: rules stop "
            "promotional e-mail. Set server.public_url to where recipients reach this server.",
        )
    return UnsubscribeLinks(derived_key(config.server.data, b"unsubscribe"), url)


def derived_key(folder: Path, use: bytes) -> bytes:
    """A key for one use, from the secret of the data folder."""
    return hmac.digest(server_secret.load_or_create(folder), use, hashlib.sha256)
