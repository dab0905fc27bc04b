"""Settings from environment variables: `CHAPPE_<SECTION>_<NAME>`.

Providers are reached by `CHAPPE_PROVIDERS_<PROVIDER>_<NAME>` senders by `CHAPPE_SENDERS_<SENDER>_<NAME>` and
regions by `CHAPPE_REGIONS_<REGION>_<NAME>`, hyphens in these names written as underscores.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import msgspec

from chappe.channels.settings import PROVIDER_KINDS
from chappe.compliance.sender.profile import SenderProfile
from chappe.config.given import Given, Origin
from chappe.config.reading import secret_file_names
from chappe.config.sections.routes import RegionSettings
from chappe.config.settings import Config
from chappe.model.errors import InvalidConfiguration

PREFIX = "CHAPPE_"


def from_environment(
    environ: Mapping[str, str], known_providers: Collection[str]
) -> Iterator[tuple[tuple[str, ...], Given]]:
    """The settings among the variables, as key paths and values, in order of name.

    A variable whose second word is no section is somebody else's (such as those that Kubernetes makes for a
    service called "chappe") and is passed over; within a section, a name that does not exist raises
    `InvalidConfiguration`.
    """
    sections = {field.name: field.type for field in msgspec.structs.fields(Config)}
    for variable in sorted(environ):
        if not variable.startswith(PREFIX):
            continue
        section, _, name = variable.removeprefix(PREFIX).lower().partition("_")
        if section not in sections or not name:
            continue
        given = Given(environ[variable], Origin(variable, Path.cwd(), textual=True))
        if section == "providers":
            yield ("providers", *_provider_key(variable, name, known_providers)), given
        elif section == "senders":
            yield ("senders", *_named_key(variable, name, "sender", SenderProfile)), given
        elif section == "regions":
            yield ("regions", *_named_key(variable, name, "region", RegionSettings)), given
        else:
            yield (section, name), given


def _provider_key(variable: str, name: str, known_providers: Collection[str]) -> tuple[str, str]:
    settings = _provider_setting_names()
    for provider in sorted(known_providers, key=len, reverse=True):
        prefix = provider.replace("-", "_") + "_"
        if name.startswith(prefix) and name.removeprefix(prefix) in settings:
            return provider, name.removeprefix(prefix)
    for setting in sorted(settings, key=len, reverse=True):
        if name.endswith(f"_{setting}"):
            return name.removesuffix(f"_{setting}").replace("_", "-"), setting
    raise InvalidConfiguration(
        f"{variable}: is no setting of a provider; it would be {PREFIX}PROVIDERS_<PROVIDER>_<NAME>, "
        f"with one of the names {', '.join(sorted(settings))}",
        key=variable,
    )


def _named_key(variable: str, name: str, what: str, cls: type[msgspec.Struct]) -> tuple[str, str]:
    settings = sorted((field.name for field in msgspec.structs.fields(cls)), key=len, reverse=True)
    for setting in settings:
        if name.endswith(f"_{setting}"):
            return name.removesuffix(f"_{setting}").replace("_", "-"), setting
    raise InvalidConfiguration(
        f"{variable}: is no setting of a {what}; it would be {PREFIX}{what.upper()}S_<{what.upper()}>_<NAME>, "
        f"with one of the names {', '.join(sorted(settings))}",
        key=variable,
    )


def _provider_setting_names() -> set[str]:
    names = {"kind"}
    for kind in PROVIDER_KINDS.values():
        names |= {field.name for field in msgspec.structs.fields(kind)}
        names |= secret_file_names(kind)
    return names
