"""The reference of all settings as Markdown, made from the settings' own descriptions."""

from __future__ import annotations

import datetime
import typing
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from chappe.channels.settings import PROVIDER_KINDS, ProviderSettings, Secret, WebhookEndpoint
from chappe.compliance.sender.profile import OptOutMeans, Registration, SenderProfile, Template
from chappe.config.environment import PREFIX
from chappe.config.sections.routes import RegionSettings
from chappe.config.settings import Config

_HEAD = """\
# Settings

<!-- Made by `make docs`; change src/chappe/config/sections and src/chappe/channels/settings.py. -->

All settings can stand in one TOML file (`chappe serve --config chappe.toml`, or its name in `CHAPPE_CONFIG`). Each can
also be given by the environment variable named beside it, which counts more than the file; options of the command
line count most. Lists in a variable are separated by commas or written as JSON. Unknown names and values out of range
are errors: the server does not start. Only a variable whose second word is no section, such as `CHAPPE_PORT`, is passed
over: platforms make variables of their own for a service that is called chappe.

A secret can be written as it is, as `env:NAME` to take it from an environment variable, or be left in a file of its
own: `password_file = "..."` instead of `password`. Relative paths in the file start at the file's folder.

```toml
[server]
public_url = "https://messages.acme.example"

[providers.mail]
kind = "smtp"
host = "smtp.acme.example"
username = "chappe"
password_file = "/run/secrets/smtp-password"
sender = "Acme <no-reply@acme.example>"

[routes]
email = ["mail"]
```
"""

_PROVIDERS = """\
## [providers.NAME]

The accounts and gateways behind the channels. NAME (`a-z`, `0-9` and `-`) is yours to choose; it appears in timelines
and routes. `kind` says what it is. Two are built in and need no table unless a setting is to change: `webhook` (kind
`webhook`) and `sandbox` (kind `sandbox`).
"""


_SENDERS = """\
## [senders.NAME]

Who sends. Laws want to know, and rules add to messages what their sender's profile tells: a name, an address, how to
opt out. The profile called `default` is that of every message whose `from` no other profile names. What a rule cannot
add, because nothing here tells it, stops the message, unless `unmet_requirements` says otherwise; the reason names the
setting. Tables within tables are written as `[[senders.NAME.unsubscribe]]` and `[[senders.NAME.registrations]]`:

```toml
[senders.default]
name = "Acme"
legal_name = "Acme Inc."
postal_address = "1 Main Street, Springfield, IL 62701, USA"
phone = "+1 217 555 0100"
email = "help@acme.example"
website = "https://acme.example"
country = "US"
sms_from = "+12175550100"
also_from = ["acme.example"]
data_region = "US"
provider_regions = ["US"]

[[senders.default.unsubscribe]]
kind = "reply"
value = "STOP"

[[senders.default.registrations]]
register = "TCR"
country = "US"
id = "+12175550100"
particulars = {brand = "BXXXXXX", campaign = "CXXXXXX", sample_messages = "filed", opt_in_flow = "filed"}
```
"""


_REGIONS = """\
## [regions.NAME]

Pipelines of their own for recipients of some jurisdictions. Their messages wait in queues named
`chappe-NAME-intake-…` and `chappe-NAME-promotional-…`, are decided by workers of their own, and go to none but the
providers named here: a channel without a route is refused for recipients there, whatever `[routes]` says. A provider
that a region names is used elsewhere only if `[routes]` names it too. NAME (`a-z`, `0-9` and `-`, at most 40 of them)
is yours to choose. Records and the audit log stay where the server is.

```toml
[regions.ru]
jurisdictions = ["RU"]
sms = ["moscow"]
provider_regions = ["RU"]

[regions.europe]
jurisdictions = ["EU", "CH", "GB"]
email = ["frankfurt"]
sms = ["frankfurt-sms"]
```
"""


def render() -> str:
    """The whole page."""
    parts = [_HEAD]
    for field in msgspec.structs.fields(Config):
        if field.name == "providers":
            parts += [_PROVIDERS, *(_kind(tag, kind) for tag, kind in PROVIDER_KINDS.items())]
        elif field.name == "regions":
            parts += [_REGIONS, _section("### Settings of a region", RegionSettings, f"{PREFIX}REGIONS_<NAME>_")]
        elif field.name == "senders":
            parts += [_SENDERS, _section("### Settings of a sender", SenderProfile, f"{PREFIX}SENDERS_<NAME>_")]
        else:
            parts.append(_section(f"## [{field.name}]", field.type, f"{PREFIX}{field.name}_"))
    return "\n".join(parts)


_NAMED_TABLES = ("providers", "senders", "regions")
_SENDER_TABLES = (SenderProfile, OptOutMeans, Registration, Template)


def undocumented() -> list[str]:
    """The settings that have no description; to be empty."""
    classes = [field.type for field in msgspec.structs.fields(Config) if field.name not in _NAMED_TABLES]
    return [
        f"{cls.__name__}.{field.name}"
        for cls in (*classes, *PROVIDER_KINDS.values(), WebhookEndpoint, *_SENDER_TABLES, RegionSettings)
        for field in msgspec.structs.fields(cls)
        if not _meta(field.type).get("description")
    ]


def _kind(tag: str, kind: type[ProviderSettings]) -> str:
    return _section(f'### kind = "{tag}"', kind, f"{PREFIX}PROVIDERS_<NAME>_")


def _section(heading: str, cls: type[msgspec.Struct], prefix: str) -> str:
    return "\n".join((heading, "", _paragraphs(cls), "", *_table(cls, prefix), ""))


def _paragraphs(cls: type[msgspec.Struct]) -> str:
    lines = (cls.__doc__ or "").strip().splitlines()
    return "\n".join(line.strip() for line in lines)


def _table(cls: type[msgspec.Struct], prefix: str) -> Iterator[str]:
    yield "| setting | value | default | meaning |"
    yield "|---|---|---|---|"
    for field in msgspec.structs.fields(cls):
        variable = f"{prefix}{field.name}".upper()
        meaning = str(_meta(field.type).get("description", "")).replace("|", "\\|")
        yield (
            f"| `{field.name}`<br>`{variable}` | {_value(field.type)} | {_default(field)} "
            f"| {meaning}{_nested(field.type)} |"
        )


def _nested(wanted: Any) -> str:
    flat = _flat(wanted)
    struct = next((part for part in flat if isinstance(part, type) and issubclass(part, msgspec.Struct)), None)
    if struct is None:
        return ""
    fields = (f"`{f.name}`: {_meta(f.type)['description']}" for f in msgspec.structs.fields(struct))
    return "<br>" + "<br>".join(fields)


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "(required)"
    default = field.default
    if default is None or default == ():
        return ""
    if isinstance(default, Path):
        return f"`{default}`"
    if isinstance(default, tuple):
        return ", ".join(f"`{entry}`" for entry in default)
    return f"`{msgspec.json.encode(default).decode()}`"


def _value(wanted: Any) -> str:
    flat = list(_flat(wanted))
    if any(typing.get_origin(part) is tuple for part in flat):
        struct = any(isinstance(part, type) and issubclass(part, msgspec.Struct) for part in flat)
        return "list of tables" if struct else "list of paths" if Path in flat else "list of texts"
    choices = [typing.get_args(part) for part in flat if typing.get_origin(part) is typing.Literal]
    choices += [tuple(part) for part in flat if isinstance(part, type) and issubclass(part, StrEnum)]
    if choices:
        return "one of " + ", ".join(f'`"{choice}"`' for choice in choices[0])
    for kind, name in _NAMES.items():
        if kind in flat:
            return name + _bounds(_meta(wanted))
    raise TypeError(f"no words for the type {wanted!r}")


_NAMES = {
    bool: "true or false",
    int: "whole number",
    float: "number",
    datetime.date: "date",
    Secret: "secret",
    Path: "path",
    str: "text",
}


def _bounds(meta: dict[str, Any]) -> str:
    words = [
        f"{word} {meta[key]}"
        for key, word in (("ge", "from"), ("gt", "over"), ("le", "to"))
        if meta.get(key) is not None
    ]
    if meta.get("pattern"):
        words.append(f"matching `{meta['pattern']}`".replace("|", "\\|"))
    return (", " + " ".join(words)) if words else ""


def _flat(wanted: Any) -> Iterator[Any]:
    yield wanted
    if typing.get_origin(wanted) is not typing.Literal:
        for part in typing.get_args(wanted):
            yield from _flat(part)


def _meta(wanted: Any) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for part in _flat(wanted):
        if isinstance(part, msgspec.Meta):
            stated = {name: getattr(part, name) for name in ("description", "ge", "gt", "le", "pattern")}
            merged.update({name: value for name, value in stated.items() if value is not None})
    return merged
