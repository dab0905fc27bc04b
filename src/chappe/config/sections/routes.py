"""[routes] and [regions.NAME]: which providers carry a channel, for everyone and for the recipients of some places."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from chappe.model.customer import Channel

Route = tuple[str, ...] | None
"""Names of providers, in the order in which they are tried; None where nothing is said of a channel."""

_Jurisdiction = Annotated[str, Meta(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")]


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

    def of(self, channel: Channel) -> Route:
        """What is said of a channel."""
        route: Route = getattr(self, channel.value)
        return route


class RegionSettings(RouteSettings, frozen=True, kw_only=True):
    """A pipeline of its own for the recipients of some jurisdictions: with queues, workers and providers of its own."""

    jurisdictions: Annotated[
        tuple[_Jurisdiction, ...],
        Meta(
            min_length=1,
            description='Whose recipients it is for: ISO 3166 codes with all that lies in them, as `["RU", "US-CA"]`. '
            "`EU` is every country under its law. The closest of all regions counts.",
        ),
    ]
    provider_regions: Annotated[
        tuple[_Jurisdiction, ...],
        Meta(
            description="The countries in which the region's providers handle what they are given, for rules about "
            "where data may go. Without it what the sender's profile says of its providers."
        ),
    ] = ()
