"""[aws]: what the names and URLs of the AWS APIs contain."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from chappe.security.principal import DEFAULT_ACCOUNT, DEFAULT_REGION


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
