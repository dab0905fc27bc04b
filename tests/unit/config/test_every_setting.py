"""Every setting that is documented can be set, in a file and by a variable."""

from __future__ import annotations

import datetime
import json
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chappe.channels.settings import PROVIDER_KINDS, Secret
from chappe.compliance.sender.profile import SenderProfile
from chappe.config import Config, RegionSettings, load_config

SECRET = "whsec_" + "c2VjcmV0" * 4
NEEDED: dict[str, dict[str, Any]] = {
    "smtp": {"host": "127.0.0.1", "sender": "a@b.co"},
    "webhook": {},
    "sandbox": {},
}
VALUES: dict[str, Any] = {
    "public_url": "https://messages.acme.example",
    "account": "111122223333",
    "retention": ["DE=1096"],
    "sender": "b@b.co",
    "allowed_networks": ["10.1.0.0/16"],
    "endpoints": [{"url_prefix": "https://hooks.acme.example/a", "secret": SECRET}],
    "username": "ana",
    "password": "open sesame",
    "packaged_rules": True,
    "activate": "never",
    "min_backoff_ms": 70,
    "moderation": ["hate=block"],
    "links": ["lookalike=hold"],
    "spam": "block",
    "promotional": "hold",
    "postal_address_kind": "registered_po_box",
    "valid_until": "2030-01-01",
    "country": "DE",
    "data_region": "DE",
    "jurisdictions": ["DE"],
    "provider_regions": ["DE"],
    "large_handler_in": ["CN"],
    "languages": ["de"],
    "unsubscribe": [{"kind": "reply", "value": "STOP"}],
    "registrations": [{"register": "TCR", "country": "US", "particulars": {"brand": "B1"}}],
}
"""Where the kind of value does not tell what is allowed."""
ALONG = {"username": {"password": "open sesame"}, "password": {"username": "ana"}}


def _parts(wanted: Any) -> tuple[Any, ...]:
    return (wanted, *(inner for part in typing.get_args(wanted) for inner in _parts(part)))


def _value(field: msgspec.structs.FieldInfo) -> Any:
    if field.name in VALUES:
        return VALUES[field.name]
    parts = _parts(field.type)
    if Secret in parts:
        return SECRET
    if tuple in [typing.get_origin(part) for part in parts]:
        return ["sandbox"]
    for kind, value in ((bool, False), (int, 9_000), (float, 9.0), (Path, "a-file"), (str, "a-name")):
        if kind in parts:
            most = [part.le for part in parts if isinstance(part, msgspec.Meta) and part.le is not None]
            return min([value, *most]) if isinstance(value, int | float) else value
    return next(part.__args__[0] for part in parts if typing.get_origin(part) is typing.Literal)


def _settings() -> Iterator[tuple[str, str, msgspec.structs.FieldInfo, dict[str, Any]]]:
    for section in msgspec.structs.fields(Config):
        if section.name not in ("providers", "senders", "regions"):
            for field in msgspec.structs.fields(section.type):
                yield section.name, section.name, field, {}
    for field in msgspec.structs.fields(SenderProfile):
        yield "senders.s", "senders_s", field, {}
    for field in msgspec.structs.fields(RegionSettings):
        yield "regions.r", "regions_r", field, {"jurisdictions": ["DE"]}
    for kind, cls in PROVIDER_KINDS.items():
        for field in msgspec.structs.fields(cls):
            along = {**NEEDED[kind], **ALONG.get(field.name, {}), "kind": kind}
            yield "providers.p", "providers_p", field, along


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {_toml(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _table(config: Config, name: str) -> Any:
    section, _, entry = name.partition(".")
    found = getattr(config, section)
    return found[entry] if entry else found


@pytest.mark.parametrize(
    ("table", "prefix", "field", "along"),
    [pytest.param(*setting, id=f"{setting[3].get('kind', setting[0])}.{setting[2].name}") for setting in _settings()],
)
def test_it_can_be_set(
    tmp_path: Path, table: str, prefix: str, field: msgspec.structs.FieldInfo, along: dict[str, Any]
) -> None:
    value = _value(field)
    values = {**along, field.name: value}
    file = tmp_path / "chappe.toml"
    file.write_text(f"[{table}]\n" + "".join(f"{name} = {_toml(given)}\n" for name, given in values.items()))
    by_variable = {f"CHAPPE_{prefix}_{name}".upper(): _text(given) for name, given in values.items()}
    for config in (load_config(file, environ={}), load_config(environ=by_variable)):
        section: Any = _table(config, table)
        found = getattr(section, field.name)
        found = found.reveal() if isinstance(found, Secret) else found
        found = found.isoformat() if isinstance(found, datetime.date) else found
        if isinstance(value, str | int | float) and not isinstance(found, Path):
            assert found == value
        else:
            assert found is not None
