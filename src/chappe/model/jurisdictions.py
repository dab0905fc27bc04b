"""Which law binds where: how jurisdictions nest.

A jurisdiction is an ISO 3166-1 country ("DE"), an ISO 3166-2 subdivision ("US-FL"), "EU", or "*" for the whole world.
"""

from __future__ import annotations

WORLD = "*"
EUROPEAN_UNION = "EU"

EU_LAW_COUNTRIES = frozenset(
    {"AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IS", "IT"}
    | {"LI", "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK"}
)
"""The member states, and Iceland, Liechtenstein and Norway, which take over the directives through the EEA
agreement.
"""

TERRITORIES = {
    **dict.fromkeys(("AS", "GU", "MP", "PR", "VI"), "US"),
    **dict.fromkeys(("BL", "GF", "GP", "MF", "MQ", "PM", "RE", "YT"), "FR"),
    **dict.fromkeys(("CC", "CX", "NF"), "AU"),
    "AX": "FI",
    "SJ": "NO",
}
"""Places with an ISO 3166-1 code of their own in which the law of another country binds as well."""
_OUTSIDE_EU_LAW = frozenset({"BL", "PM", "SJ"})
"""Of the territories."""


def lineage(jurisdiction: str | None) -> tuple[str, ...]:
    """The jurisdictions whose rules bind there, nearest first: `US-FL, US, *` or `DE, EU, *`. None gives `*`
    alone.
    """
    if jurisdiction is None or jurisdiction == WORLD:
        return (WORLD,)
    country = jurisdiction.partition("-")[0]
    mother = TERRITORIES.get(country)
    chain = [jurisdiction, country] if jurisdiction != country else [country]
    if mother is not None:
        chain.append(mother)
    if (mother or country) in EU_LAW_COUNTRIES and country not in _OUTSIDE_EU_LAW:
        chain.append(EUROPEAN_UNION)
    return (*chain, WORLD)
