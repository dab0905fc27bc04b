"""[regions.NAME]: pipelines of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from chappe.config import Config, load_config
from chappe.model.customer import Channel
from chappe.model.errors import InvalidConfiguration

PROVIDERS = """
[providers.home]
kind = "smtp"
host = "127.0.0.1"
sender = "a@b.co"
[providers.moscow]
kind = "smtp"
host = "127.0.0.1"
sender = "a@b.co"
"""


def load(folder: Path, text: str) -> Config:
    file = folder / "chappe.toml"
    file.write_text(PROVIDERS + text)
    return load_config(file, environ={})


def test_a_region_has_only_the_providers_it_names(tmp_path: Path) -> None:
    config = load(tmp_path, '[regions.ru]\njurisdictions = ["RU"]\nemail = ["moscow"]\n')
    assert config.region_routes == {"ru": {Channel.EMAIL: ("moscow",)}}
    assert config.channel_routes[Channel.EMAIL] == ("home",)  # not that of the region, unless it says so
    config = load(
        tmp_path,
        '[routes]\nemail = ["moscow", "home"]\n[regions.ru]\njurisdictions = ["RU"]\nemail = ["moscow"]\n',
    )
    assert config.channel_routes[Channel.EMAIL] == ("moscow", "home")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[regions.ru]\nemail = ["moscow"]\n', "regions.ru.jurisdictions: is missing"),
        ("[regions.ru]\njurisdictions = []\n", "regions.ru.jurisdictions"),
        ('[regions.ru]\njurisdictions = ["Russia"]\n', "regions.ru.jurisdictions"),
        ('[regions.ru]\njurisdictions = ["RU", "UK"]\n', "regions.ru.jurisdictions: UK is no country"),
        ('[regions.ru]\njurisdictions = ["RU"]\nemail = ["nowhere"]\n', "there is no provider 'nowhere'"),
        ('[regions.ru]\njurisdictions = ["RU"]\nsms = ["moscow"]\n', "does not serve this channel"),
        ('[regions.a]\njurisdictions = ["RU"]\n[regions.b]\njurisdictions = ["RU"]\n', "belongs to the region 'a'"),
        (f'[regions.{"r" * 41}]\njurisdictions = ["RU"]\n', "at most 40 characters"),
        ('[regions.Ru]\njurisdictions = ["RU"]\n', "a region's name has"),
        ('[regions.ru]\njurisdictions = ["RU"]\ncolour = "red"\n', "there is no such setting"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(InvalidConfiguration) as refused:
        load(tmp_path, text)
    assert says in refused.value.message
